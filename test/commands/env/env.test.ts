import { expect, test } from "vitest";
import { folder } from "../../helpers/command-line.ts";
import { openOperator } from "../../helpers/operator.ts";

// Through Google's APIs; test/cloud/contract asserts that gcloud has the same effect.

const { emulator, cli, json, refusal, revisions, createService } = openOperator();

test("variables are set and unset, also from a file, and create a revision only if they change", async () => {
  const [first] = await createService("varied", 1);
  const cwd = folder({ ".env": '# mine\nPASSWORD="p,a;s s"\nexport EMPTY=\n' });
  const plan = await cli(["env", "set", "varied", "A=1", "--from-file", ".env", "--dry-run"], cwd);
  expect(plan.stdout).toContain('{"name":"PASSWORD","value":"<PASSWORD>"}');
  const set = await cli(["-v", "env", "set", "varied", "A=1", "--from-file", ".env"], cwd);
  expect(set.stdout).toMatch(/\nREVISION\tvaried-00002-\w+\nSET\tEMPTY\nSET\tPASSWORD\nSET\tA\n$/);
  expect(`${plan.stdout}${plan.stderr}${set.stdout}${set.stderr}`).not.toContain("p,a;s s");
  expect((await cli(["env", "list", "varied"])).stdout).toBe("EMPTY\t\nPASSWORD\tp,a;s s\nA\t1\n");

  const again = await json("env", "set", "varied", "A=1");
  expect(again).toMatchObject({ changed: false, set: [], revision: expect.stringMatching(/^varied-00002-/) });
  expect(await json("env", "unset", "varied", "A", "EMPTY", "NOPE")).toMatchObject({ changed: true, unset: ["A", "EMPTY"] });
  expect(await json("env", "unset", "varied", "NOPE")).toMatchObject({ changed: false, unset: [] });
  expect((await json("env", "list", "varied"))["variables"]).toEqual([{ name: "PASSWORD", value: "p,a;s s", secret: null }]);
  expect((await revisions("varied")).length).toBe(3);
  expect((await revisions("varied")).at(-1)).toBe(first);
});

test("a variable from a secret shows its reference, and cannot be replaced by a value", async () => {
  const secrets = `/v1/projects/${emulator().project}/secrets`;
  const host = "secretmanager.googleapis.com";
  await emulator().request("POST", host, `${secrets}?secretId=db`, { body: { replication: { automatic: {} } } });
  const payload = { data: Buffer.from("hunter2").toString("base64") };
  await emulator().request("POST", host, `${secrets}/db:addVersion`, { body: { payload } });
  await createService("secretive", 1);
  const { service_account } = await json("describe", "secretive");
  const members = [`serviceAccount:${service_account}`];
  const body = { policy: { bindings: [{ role: "roles/secretmanager.secretAccessor", members }] } };
  await emulator().request("POST", host, `${secrets}/db:setIamPolicy`, { body });
  const image = `gcr.io/${emulator().project}/secretive`;
  await json("deploy", "secretive", "--image", image, "--env", "A=1", "--", "--update-secrets", "DB=db:1");

  const listed = await cli(["env", "list", "secretive"]);
  expect(listed.stdout).toBe("A\t1\nDB\t(secret db, version 1)\n");
  const { stdout } = await cli(["describe", "secretive"]);
  expect(stdout).toContain("ENV\tDB (secret db, version 1)\n");
  // An emulated service has no page there.
  expect(stdout).not.toContain("console.cloud.google.com");
  expect(await refusal("env", "set", "secretive", "DB=hunter3")).toMatchObject({
    exitCode: 2,
    message: "DB is set from a secret and can't be replaced with a value.",
    next: [expect.objectContaining({ text: "To remove it first", command: expect.arrayContaining(["env", "unset", "DB"]) })],
  });
  expect(await json("env", "unset", "secretive", "DB")).toMatchObject({ changed: true, unset: ["DB"] });
  expect((await cli(["env", "list", "secretive"])).stdout).toBe("A\t1\n");
});

test.for([
  [["env", "set"], 2, "No variables specified."],
  [["env", "set", "hello", "1A=2"], 2, 'Invalid variable "1A".'],
  [["env", "set", "PORT=80"], 2, "Can't set PORT: Cloud Run sets it."],
  [["env", "set", "--from-file", "nowhere/.env"], 4, "File not found: "],
  [["env", "unset", "A-B"], 2, 'Invalid variable name "A-B".'],
  [["env", "list", "nobody"], 4, 'Service "nobody" not found in us-central1.'],
  [["deploy", "--", "--memory"], 2, "--memory requires a value."],
  [["deploy", "--", "--timeout", "soon"], 2, 'Invalid duration "soon" for --timeout.'],
  [["deploy", "--", "--tag", "x"], 2, "--tag can't follow --."],
  [["deploy", "--", "--set-cloudsql-instances=x"], 2, "--set-cloudsql-instances requires gcloud, but this deployment uses Google's API."],
  [["deploy", "--", "constructor", "x"], 2, 'Invalid gcloud flag "constructor" after --.'],
  [["deploy", "--", "--ingress", "none"], 2, 'Invalid value "none" for --ingress.'],
  [["deploy", "--", "memory"], 2, 'Invalid gcloud flag "memory" after --.'],
  [["deploy", "--", "--update-secrets", "/etc/key=db:1"], 2, 'Invalid value "/etc/key=db:1" for --update-secrets.'],
] as const)("%j exits with %i: %s", async ([argv, exitCode, message]) => {
  expect(await cli(argv)).toMatchObject({ exitCode, stdout: "", stderr: expect.stringContaining(message) });
});

test("deploy through the API understands the flags that most deployments pass to gcloud", async () => {
  const image = `gcr.io/${emulator().project}/hello`;
  const flags = ["--memory=1Gi", "--cpu", "2", "--min-instances=0", "--max-instances", "7", "--concurrency=10", "--timeout", "1m30s"];
  const more = ["--port=9090", "--no-cpu-throttling", "--labels", "team=apps", "--ingress=internal", "--set-env-vars", "^;^A=1,2;B=3"];
  await json("deploy", "flagged", "--image", image, "--", ...flags, ...more);
  expect(await json("describe", "flagged")).toMatchObject({
    memory: "1Gi",
    cpu: "2",
    min_instances: 0,
    max_instances: 7,
    concurrency: 10,
    timeout: 90,
    port: 9090,
    cpu_always_allocated: true,
    labels: { team: "apps" },
    ingress: "internal",
  });
  const changes = ["--remove-env-vars", "A", "--update-env-vars=C=4", "--cpu-throttling", "--port", "default"];
  await json("deploy", "flagged", "--image", image, "--", ...changes);
  expect(await json("describe", "flagged")).toMatchObject({ port: 8080, cpu_always_allocated: false, max_instances: 7 });
  expect((await json("env", "list", "flagged"))["variables"]).toMatchObject([
    { name: "B", value: "3" },
    { name: "C", value: "4" },
  ]);
});
