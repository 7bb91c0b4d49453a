import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fakeGcloud, folder, KNATIVE_SERVICE, runCli } from "../../helpers/command-line.ts";

const WHERE = "--project my-project --region us-central1 --quiet --format=json";
const env = { PROJECT_ID: "my-project", SERVICE_NAME: "hello" };
const IMAGE = "us-central1-docker.pkg.dev/my-project/cloudrun-oauth/hello";
const KNATIVE = JSON.stringify(KNATIVE_SERVICE);
const POLICY = JSON.stringify({ bindings: [{ role: "roles/run.invoker", members: ["user:me@example.com"] }], etag: "BwX=" });

/** Commands and the one gcloud line that each comes down to. */
test.for([
  [["deploy"], `run deploy hello --image ${IMAGE} --no-allow-unauthenticated ${WHERE}`, KNATIVE],
  [
    ["deploy", "other", "--image", "gcr.io/my-project/x"],
    `run deploy other --image gcr.io/my-project/x --no-allow-unauthenticated ${WHERE}`,
    KNATIVE,
  ],
  [["deploy", "--allow-unauthenticated"], `run deploy hello --image ${IMAGE} --allow-unauthenticated ${WHERE}`, KNATIVE],
  [
    [
      "deploy",
      "--tag",
      "next",
      "--no-traffic",
      "--env",
      "A=1",
      "--env",
      "B=two words",
      "--service-account",
      "run@my-project.iam.gserviceaccount.com",
      "--",
      "--memory",
      "1Gi",
    ],
    `run deploy hello --image ${IMAGE} --tag next --no-traffic --update-env-vars A=1,B=two words --service-account run@my-project.iam.gserviceaccount.com --no-allow-unauthenticated --project my-project --region us-central1 --quiet --memory 1Gi --format=json`,
    KNATIVE,
  ],
  [
    ["deploy", "--env", "LIST=a,b", "--env", "C=d;e"],
    `run deploy hello --image ${IMAGE} --update-env-vars ^|^LIST=a,b|C=d;e --no-allow-unauthenticated ${WHERE}`,
    KNATIVE,
  ],
  [
    ["-r", "europe-west1", "deploy"],
    `run deploy hello --image ${IMAGE.replace("us-central1", "europe-west1")} --no-allow-unauthenticated ${WHERE.replace("us-central1", "europe-west1")}`,
    KNATIVE,
  ],
  [["describe", "--url"], `run services describe hello ${WHERE}`, KNATIVE],
  [
    ["grant", "--member", "a@my-project.iam.gserviceaccount.com"],
    `run services add-iam-policy-binding hello --member serviceAccount:a@my-project.iam.gserviceaccount.com --role roles/run.invoker --condition=None ${WHERE}`,
    POLICY,
  ],
  [
    ["grant", "--member", "a@example.com"],
    `run services add-iam-policy-binding hello --member user:a@example.com --role roles/run.invoker --condition=None ${WHERE}`,
    POLICY,
  ],
  [
    ["grant", "--member", "group:g@example.com", "--role", "roles/run.viewer"],
    `run services add-iam-policy-binding hello --member group:g@example.com --role roles/run.viewer --condition=None ${WHERE}`,
    POLICY,
  ],
  [
    ["grant", "--member", "allUsers"],
    `run services add-iam-policy-binding hello --member allUsers --role roles/run.invoker --condition=None ${WHERE}`,
    POLICY,
  ],
] as const)("%j is one gcloud line, and --dry-run says it and runs nothing", async ([argv, line, stdout]) => {
  const done = await runCli(argv, { env: { ...env, ...fakeGcloud({ line, stdout }) } });
  expect(done).toMatchObject({ exitCode: 0 });
  const at = argv.indexOf("--" as never);
  const dry = [...argv.slice(0, at < 0 ? undefined : at), "--dry-run", ...argv.slice(at < 0 ? argv.length : at)];
  const { exitCode, stdout: plan, stderr } = await runCli(dry, { env: { ...env, ...fakeGcloud() } });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(plan.replaceAll("'", "")).toBe(`gcloud ${line}\n`);
});

test("a format that is passed through to gcloud comes before the one that is read", async () => {
  const line = `run deploy hello --image ${IMAGE} --no-allow-unauthenticated ${WHERE.replace("--format=json", "--format=yaml --format=json")}`;
  const path = fakeGcloud({ line, stdout: KNATIVE });
  expect(await runCli(["deploy", "--", "--format=yaml"], { env: { ...env, ...path } })).toMatchObject({ exitCode: 0 });
});

test.for(["", "NAME\n  gcloud run deploy", '"text"', "null"])(
  "gcloud output %j, which isn't a JSON document, is an error of gcloud",
  async (stdout) => {
    const line = `run deploy hello --image ${IMAGE} --no-allow-unauthenticated ${WHERE}`;
    const done = await runCli(["deploy"], { env: { ...env, ...fakeGcloud({ line, stdout }) } });
    expect(done).toMatchObject({ exitCode: 1, stdout: "" });
    expect(done.stderr).toContain(
      "error: gcloud succeeded, but didn't print the JSON that cloudrun-oauth reads. [GCLOUD_FAILED]\nhint: Remove the flags after --",
    );
  },
);

test("the member is SERVICE_ACCOUNT_EMAIL where none is named", async () => {
  const line = `run services add-iam-policy-binding hello --member serviceAccount:c@my-project.iam.gserviceaccount.com --role roles/run.invoker --condition=None ${WHERE}`;
  const path = fakeGcloud({ line, stdout: POLICY });
  const { exitCode, stdout } = await runCli(["grant"], {
    env: { ...env, ...path, SERVICE_ACCOUNT_EMAIL: "c@my-project.iam.gserviceaccount.com" },
  });
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: "SERVICE\thello\nMEMBER\tserviceAccount:c@my-project.iam.gserviceaccount.com\nROLE\troles/run.invoker\n",
  });
});

test("grant --wait without the member's own credentials waits until the policy reads back", async () => {
  const path = fakeGcloud(
    {
      line: `run services add-iam-policy-binding hello --member user:me@example.com --role roles/run.invoker --condition=None ${WHERE}`,
      stdout: POLICY,
    },
    { line: `run services get-iam-policy hello ${WHERE}`, stdout: POLICY },
  );
  const { exitCode, stdout } = await runCli(["grant", "--member", "me@example.com", "--wait", "--json"], { env: { ...env, ...path } });
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    service: "hello",
    project: "my-project",
    region: "us-central1",
    member: "user:me@example.com",
    role: "roles/run.invoker",
    bindings: [{ role: "roles/run.invoker", members: ["user:me@example.com"] }],
    waited: { by: "policy", ms: expect.any(Number) },
  });
});

test("describe shows the service and its members, as a table and as one document", async () => {
  const calls = [
    { line: `run services describe hello ${WHERE}`, stdout: KNATIVE },
    { line: `run services get-iam-policy hello ${WHERE}`, stdout: POLICY },
  ];
  const table = await runCli(["describe"], { env: { ...env, ...fakeGcloud(...calls) } });
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
  const { stdout } = await runCli(["describe", "--json"], { env: { ...env, ...fakeGcloud(...calls) } });
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

test("describe does without the members where the policy may not be read", async () => {
  const denied =
    "ERROR: (gcloud.run.services.get-iam-policy) PERMISSION_DENIED: Permission 'run.services.getIamPolicy' denied on resource hello";
  const path = fakeGcloud(
    { line: `run services describe hello ${WHERE}`, stdout: KNATIVE },
    { line: `run services get-iam-policy hello ${WHERE}`, stderr: denied, exitCode: 1 },
  );
  const { exitCode, stdout, stderr } = await runCli(["describe", "--json"], { env: { ...env, ...path } });
  expect([exitCode, (JSON.parse(stdout) as { members: unknown }).members]).toEqual([0, null]);
  expect(stderr).toContain("warning: You may not read who may call it");
});

test("a conflict of policies is tried again", async () => {
  const line = `run services add-iam-policy-binding hello --member allUsers --role roles/run.invoker --condition=None ${WHERE}`;
  const stderr = "ERROR: (gcloud.run.services.add-iam-policy-binding) ABORTED: There were concurrent policy changes. Please retry";
  const path = fakeGcloud({ line, stderr, exitCode: 1 }, { line, stdout: POLICY });
  expect((await runCli(["grant", "--member", "allUsers"], { env: { ...env, ...path } })).exitCode).toBe(0);
});

test("on GitHub Actions a deployment leaves its outputs and a summary", async () => {
  const directory = folder({ output: "", summary: "" });
  const path = fakeGcloud({ line: `run deploy hello --image ${IMAGE} --no-allow-unauthenticated ${WHERE}`, stdout: KNATIVE });
  const actions = { GITHUB_ACTIONS: "true", GITHUB_OUTPUT: `${directory}/output`, GITHUB_STEP_SUMMARY: `${directory}/summary` };
  await runCli(["deploy"], { env: { ...env, ...path, ...actions } });
  const output = readFileSync(actions.GITHUB_OUTPUT, "utf8");
  const read = Object.fromEntries([...output.matchAll(/^(\w+)<<(\S+)\n([\s\S]*?)\n\2$/gm)].map(([, name, , value]) => [name, value]));
  expect(read).toEqual({
    url: "https://hello-abc123-uc.a.run.app",
    revision: "hello-00002-abc",
    image: "us-central1-docker.pkg.dev/my-project/apps/hello",
  });
  expect(readFileSync(actions.GITHUB_STEP_SUMMARY, "utf8")).toContain(
    "### Deployed hello\n\n| | |\n| --- | --- |\n| url | `https://hello-abc123-uc.a.run.app` |\n",
  );
});

test("gcloud's progress is on stderr while it runs, without bold type; --quiet and --json keep it away", async () => {
  const call = {
    line: `run deploy hello --image ${IMAGE} --no-allow-unauthenticated ${WHERE}`,
    stdout: KNATIVE,
    stderr: "Deploying \u001b[1mhello\u001b[m...\nDone.\n",
  };
  const shown = await runCli(["deploy"], { env: { ...env, ...fakeGcloud(call) } });
  expect(shown.stderr).toMatch(/^Deploying hello\.\.\.\nDone\.\n✔ Deploying hello \(\d+\.\d s\)\n$/);
  expect((await runCli(["deploy", "--quiet"], { env: { ...env, ...fakeGcloud(call) } })).stderr).toBe("");
  expect((await runCli(["deploy", "--json"], { env: { ...env, ...fakeGcloud(call) } })).stderr).not.toContain("Deploying hello...");
});

test("without gcloud --via gcloud says what to install", async () => {
  const { exitCode, stderr } = await runCli(["describe", "--via", "gcloud"], { env });
  expect(exitCode).toBe(6);
  expect(stderr).toContain(
    "error: gcloud is not on PATH. [GCLOUD_MISSING]\nhint: Install it from https://cloud.google.com/sdk/docs/install, or do without: --via api",
  );
});

test.for([
  [["deploy", "--source", ".", "--image", "gcr.io/my-project/x"], "--image and --source exclude each other."],
  [["deploy", "--env", "noequals"], "--env noequals is no variable: it has the form NAME=VALUE."],
  [["deploy", "--env", "PORT=1"], "Cloud Run sets PORT itself."],
  [["grant", "--member", "nobody"], '"nobody" is no member.'],
  [["grant"], "No member is set."],
  [["deploy", "Bad"], '"Bad" cannot be the service'],
  [["-p", "x", "deploy"], '"x" cannot be the project'],
] as const)("%j is refused before anything runs", async ([argv, message]) => {
  const { exitCode, stdout, stderr } = await runCli(argv, { env: { ...env, ...fakeGcloud() } });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain(message);
});
