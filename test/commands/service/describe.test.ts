import { expect, test } from "vitest";
import { fakeGcloud, runCli } from "../../helpers/command-line.ts";
import { DESCRIBE_CALL, ENV, ranLine, runOneLine, POLICY_CALL, SERVICE_JSON, WHERE } from "../../helpers/gcloud-service.ts";

test("describe --url runs one line of gcloud, which --dry-run prints", async () => {
  expect(await runOneLine(["describe", "--url"], DESCRIBE_CALL.line, SERVICE_JSON)).toEqual(ranLine(DESCRIBE_CALL.line));
});

test("describe shows the service and its members, as a table and as one document", async () => {
  const calls = [DESCRIBE_CALL, POLICY_CALL];
  const table = await runCli(["describe"], { env: { ...ENV, ...fakeGcloud(...calls) } });
  expect(table.stdout.replace(/\d+ days ago/, "DAYS ago")).toBe(
    [
      "URL\thttps://hello-abc123-uc.a.run.app",
      "\thttps://hello-123456789012.us-central1.run.app",
      "REVISION\thello-00002-abc",
      "DEPLOYED\t2025-11-02T10:00:00Z, DAYS ago, by me@example.com",
      "IMAGE\tus-central1-docker.pkg.dev/my-project/apps/hello",
      "RUNS AS\trunner@my-project.iam.gserviceaccount.com",
      "INSTANCES\t1 to 3",
      "RESOURCES\t1 CPU, 512Mi memory, CPU while requests are served",
      "REQUESTS\tport 8080, 80 at once per instance, 300 s at the longest",
      "ENV\tMOOD",
      "ENV\tDB (secret db-password, version 2)",
      "LABEL\tteam=apps",
      "INGRESS\tall",
      "TRAFFIC\t100% hello-00002-abc (the latest)",
      "MEMBER\tuser:me@example.com roles/run.invoker",
      "CONDITION\tReady True",
      "CONDITION\tConfigurationsReady True",
      "CONSOLE\thttps://console.cloud.google.com/run/detail/us-central1/hello/revisions?project=my-project",
      "",
    ].join("\n"),
  );
  const { stdout } = await runCli(["describe", "--json"], { env: { ...ENV, ...fakeGcloud(...calls) } });
  expect(JSON.parse(stdout)).toEqual({
    service: "hello",
    project: "my-project",
    region: "us-central1",
    url: "https://hello-abc123-uc.a.run.app",
    urls: ["https://hello-123456789012.us-central1.run.app", "https://hello-abc123-uc.a.run.app"],
    revision: "hello-00002-abc",
    latest_created_revision: "hello-00002-abc",
    created: "2025-11-01T10:00:00.000Z",
    deployed: "2025-11-02T10:00:00.000Z",
    last_modifier: "me@example.com",
    console_url: "https://console.cloud.google.com/run/detail/us-central1/hello/revisions?project=my-project",
    image: "us-central1-docker.pkg.dev/my-project/apps/hello",
    service_account: "runner@my-project.iam.gserviceaccount.com",
    port: 8080,
    cpu: "1000m",
    memory: "512Mi",
    min_instances: 1,
    max_instances: 3,
    concurrency: 80,
    timeout: 300,
    cpu_always_allocated: false,
    env: [
      { name: "MOOD", secret: null },
      { name: "DB", secret: { name: "db-password", version: "2" } },
    ],
    labels: { team: "apps" },
    ingress: "all",
    custom_audiences: [],
    default_url_disabled: false,
    invoker_iam_disabled: false,
    iap_enabled: false,
    traffic: [{ revision: "hello-00002-abc", percent: 100, latest: true, tag: null, url: null }],
    conditions: [
      { type: "Ready", status: "True", reason: null, message: null },
      { type: "ConfigurationsReady", status: "True", reason: null, message: null },
    ],
    members: [{ member: "user:me@example.com", role: "roles/run.invoker" }],
  });
});

test("describe leaves the members out if the policy can't be read", async () => {
  const denied =
    "ERROR: (gcloud.run.services.get-iam-policy) PERMISSION_DENIED: Permission 'run.services.getIamPolicy' denied on resource hello";
  const path = fakeGcloud(DESCRIBE_CALL, { line: `run services get-iam-policy hello ${WHERE}`, stderr: denied, exitCode: 1 });
  const { exitCode, stdout, stderr } = await runCli(["describe", "--json"], { env: { ...ENV, ...path } });
  expect([exitCode, (JSON.parse(stdout) as { members: unknown }).members]).toEqual([0, null]);
  expect(stderr).toContain("Warning: You may not read who may call it");
});

test("without gcloud --via gcloud says what to install", async () => {
  const { exitCode, stderr } = await runCli(["describe", "--via", "gcloud"], { env: ENV });
  expect(exitCode).toBe(6);
  expect(stderr).toContain(
    "Error: gcloud not found on PATH. [GCLOUD_MISSING]\n  Install gcloud (https://cloud.google.com/sdk/docs/install), or pass --via api.",
  );
});
