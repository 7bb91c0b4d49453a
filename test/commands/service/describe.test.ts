import { expect, test } from "vitest";
import { DESCRIBE_CALL, POLICY_CALL, ranLine, runOneLine, runWithGcloud, SERVICE_JSON } from "../../helpers/gcloud-service.ts";

test("describe --url runs one line of gcloud, which --dry-run prints", async () => {
  expect(await runOneLine(["describe", "--url"], DESCRIBE_CALL.line, SERVICE_JSON)).toEqual(ranLine(DESCRIBE_CALL.line));
});

test("describe shows the service and its members, as a table and as one document", async () => {
  const calls = [DESCRIBE_CALL, POLICY_CALL];
  const table = await runWithGcloud(["describe"], calls);
  expect(table.stdout).toBe(
    [
      "URL\thttps://hello-abc123-uc.a.run.app",
      "REVISION\thello-00002-abc",
      "DEPLOYED\t2025-11-02T10:00:00.000Z by me@example.com",
      "IMAGE\tus-central1-docker.pkg.dev/my-project/apps/hello",
      "RUNS AS\trunner@my-project.iam.gserviceaccount.com",
      "INSTANCES\t1 to 3",
      "RESOURCES\t1 CPU, 512Mi memory, CPU only during requests",
      "REQUESTS\tport 8080, max 80 concurrent per instance, timeout 300 s",
      "ENV\tMOOD",
      "ENV\tDB (secret db-password, version 2)",
      "LABEL\tteam=apps",
      "INGRESS\tall",
      "TRAFFIC\t100% hello-00002-abc (latest)",
      "MEMBER\tuser:me@example.com roles/run.invoker",
      "CONDITION\tReady True",
      "CONDITION\tConfigurationsReady True",
      "CONSOLE\thttps://console.cloud.google.com/run/detail/us-central1/hello/revisions?project=my-project",
      "",
    ].join("\n"),
  );
  const { stdout } = await runWithGcloud(["describe", "--json"], calls);
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
  const calls = [DESCRIBE_CALL, { line: POLICY_CALL.line, stderr: denied, exitCode: 1 }];
  const { exitCode, stdout, stderr } = await runWithGcloud(["describe", "--json"], calls);
  expect([exitCode, (JSON.parse(stdout) as { members: unknown }).members]).toEqual([0, null]);
  expect(stderr).toContain("Warning: Members aren't shown");
});

test("without gcloud, --via gcloud is GCLOUD_MISSING", async () => {
  expect(await runWithGcloud(["describe", "--via", "gcloud"], [], { env: { PATH: "" } })).toMatchObject({
    exitCode: 6,
    stderr: expect.stringContaining("[GCLOUD_MISSING]"),
  });
});
