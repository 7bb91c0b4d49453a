import { afterEach, expect, test } from "vitest";
import { followLog } from "../../../src/cloud/api/build-log.ts";
import { sendAdmin } from "../../helpers/admin.ts";
import { folder } from "../../helpers/command-line.ts";
import { HELLO, tinyService } from "../../helpers/emulator.ts";
import { openOperator } from "../../helpers/operator.ts";

// Only what is particular to the API; contract/ tests what both back ends have in common.

const { cli, json, emulator } = openOperator();
const IMAGE = "us-central1-docker.pkg.dev/cloudrun-local/cloudrun-oauth/hello";
const LOG = "storage.googleapis.com/*.cloudbuild-logs.*/log-*.txt";

const addFault = (fault: object) => sendAdmin(emulator().port, "POST", "/_emulator/faults", fault);
afterEach(() => sendAdmin(emulator().port, "DELETE", "/_emulator/faults"));

const broken = () => folder({ Dockerfile: "FROM node:22-slim\nCOPY missing.js ./\n" });

test("build shows the log live, and prints what was built", async () => {
  const { exitCode, stdout, stderr } = await cli(["build", folder(tinyService(HELLO))]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(new RegExp(`^IMAGE\t${IMAGE}\nDIGEST\tsha256:[0-9a-f]{64}\nBUILD\t[0-9a-f-]{36}\nLOG\thttps://`));
  expect(stderr).toMatch(/^Building hello…\n[\s\S]*\nFETCHSOURCE\n[\s\S]*\nDONE\n✓ Built hello/);
  for (const flags of [[], ["--quiet"]])
    expect(await cli([...flags, "build", broken()])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/missing\.js[\s\S]*Error: Build failed: [^\n]* \[BUILD_FAILED\]\n {2}Build log: https:/),
    });
});

/** What happens to the log, and the warning. */
test.for([
  ["can't be read", { status: 403 }, /^Warning: Can't read the build log\. The build is still running\. Build log: https:/gm, 1],
  ["doesn't exist", { status: 404 }, /warning/gi, 0],
  ["breaks off each time", { truncate: 10 }, /warning/gi, 0],
] as const)("a build succeeds or fails as usual if its log %s", async ([, fault, warning, count]) => {
  await addFault({ match: LOG, ...fault });
  const { exitCode, stderr } = await cli(["build", folder(tinyService(HELLO))]);
  expect({ exitCode, warnings: stderr.match(warning)?.length ?? 0 }).toEqual({ exitCode: 0, warnings: count });
  expect(await cli(["build", broken()])).toMatchObject({
    exitCode: 1,
    stdout: "",
    stderr: expect.stringContaining("[BUILD_FAILED]\n  Build log: https:"),
  });
});

test("a build's log that is only in Cloud Logging is reported once, and never requested", async () => {
  const missed: string[] = [];
  const nobody = { call: () => expect.unreachable(), send: () => expect.unreachable() } as never;
  const build = { id: "b1", status: "WORKING", logsBucket: "gs://logs", options: { logging: "CLOUD_LOGGING_ONLY" } };
  const log = followLog(nobody, build, { onLine: (line) => expect.unreachable(line), onUnreadable: () => missed.push("missed") });
  await log.read();
  await log.finish();
  expect(missed).toEqual(["missed"]);
});

test("the source never goes to a bucket of another project that has the expected name", async () => {
  const other = { body: { projectId: "squatter", name: "squatter" } };
  expect((await emulator().request("POST", "cloudresourcemanager.googleapis.com", "/v1/projects", other)).json["error"]).toBeUndefined();
  const victim = { body: { projectId: "victim", name: "victim" } };
  expect((await emulator().request("POST", "cloudresourcemanager.googleapis.com", "/v1/projects", victim)).json["error"]).toBeUndefined();
  const bucket = { body: { name: "victim_cloudbuild" } };
  expect(
    (await emulator().request("POST", "storage.googleapis.com", "/storage/v1/b?project=squatter", bucket)).json["error"],
  ).toBeUndefined();
  const { exitCode, stderr } = await cli(["-p", "victim", "build", folder(tinyService(HELLO))]);
  expect(exitCode).toBe(5);
  expect(stderr).toContain("Error: Bucket victim_cloudbuild belongs to another project, which could read your source. [CONFLICT]");
});

test("grant --wait calls as the member until a request is accepted", async () => {
  expect((await cli(["invoke"])).exitCode).toBe(9);
  const { waited, member } = await json("grant", "--wait");
  expect({ waited, member }).toEqual({
    waited: { by: "call", ms: expect.any(Number) },
    member: "serviceAccount:caller@cloudrun-local.iam.gserviceaccount.com",
  });
  expect((await cli(["invoke"])).exitCode).toBe(0);
});

test("a member of several bindings of one role keeps it when another member is removed", async () => {
  const path = `/v1/projects/${emulator().project}/locations/us-central1/services/twofold:setIamPolicy`;
  await emulator().deploy("twofold", tinyService(HELLO));
  const condition = { title: "until", expression: 'request.time < timestamp("2100-01-01T00:00:00Z")' };
  const [viewer, conditional] = [
    { role: "roles/run.viewer", members: ["user:a@example.com"] },
    { role: "roles/run.invoker", members: ["user:a@example.com"], condition },
  ];
  const bindings = [viewer, conditional, { role: "roles/run.invoker", members: ["user:a@example.com", "user:b@example.com"] }];
  await emulator().request("POST", "run.googleapis.com", path, { body: { policy: { version: 3, bindings } } });
  const { bindings: left } = await json("revoke", "twofold", "--member", "user:a@example.com");
  expect(left).toEqual(expect.arrayContaining([viewer, conditional, { role: "roles/run.invoker", members: ["user:b@example.com"] }]));
  expect(left).toHaveLength(3);
});

test("two deployments at the same time create two revisions, one after the other", async () => {
  const [one, other] = await Promise.all(["A=1", "B=2"].map((variable) => json("deploy", "--env", variable)));
  const service = `/apis/serving.knative.dev/v1/namespaces/${emulator().project}/services/hello`;
  const { spec } = (await emulator().request("GET", "us-central1-run.googleapis.com", service)).json;
  const variables = (spec.template.spec.containers[0].env as { name: string }[]).map(({ name }) => name);
  expect(variables.toSorted()).toEqual(["A", "B"]);
  expect([one, other].every((deployed) => /^hello-0000\d-/.test(deployed?.["latest_created_revision"]))).toBe(true);
});

test("a replacement whose response gets lost is written again, and still creates one revision", async () => {
  await emulator().deploy("replaced", tinyService(HELLO));
  const path = `/apis/serving.knative.dev/v1/namespaces/${emulator().project}/services/replaced`;
  const lost = { match: `us-central1-run.googleapis.com${path}`, method: "PUT", truncate: 5, times: 1 };
  await addFault(lost);
  expect((await json("env", "set", "replaced", "LOST=1"))["revision"]).toMatch(/^replaced-00002-/);
  await addFault(lost);
  expect((await json("traffic", "replaced", "--to", "LATEST=100"))["traffic"]).toMatchObject([{ latest: true, percent: 100 }]);
  expect((await json("describe", "replaced"))["latest_created_revision"]).toMatch(/^replaced-00002-/);
  const { json: faults } = await sendAdmin(emulator().port, "GET", "/_emulator/faults");
  expect((faults["faults"] as { struck: number }[]).map(({ struck }) => struck)).toEqual([1, 1]);
});

test("a token that expires while a command runs is replaced, and an invalid one is reported", async () => {
  await addFault({ match: "*run.googleapis.com", status: 401, times: 1 });
  expect((await cli(["describe", "--url"])).exitCode).toBe(0);
  await addFault({ match: "*run.googleapis.com", status: 401 });
  const { exitCode, stderr } = await cli(["describe", "--url"]);
  expect([exitCode, stderr]).toEqual([3, expect.stringContaining("rejected the credentials")]);
});

test("--dry-run prints the requests, and sends none", async () => {
  const { exitCode, stdout } = await cli(["deploy", "fresh", "--source", folder(tinyService(HELLO)), "--dry-run"]);
  expect(exitCode).toBe(0);
  expect(
    stdout
      .replace(/ \{.*\}$/gm, " {}")
      .replaceAll(/https:\/\/|\.googleapis\.com/g, "")
      .split("\n"),
  ).toEqual([
    "GET artifactregistry/v1/projects/cloudrun-local/locations/us-central1/repositories/cloud-run-source-deploy",
    "POST artifactregistry/v1/projects/cloudrun-local/locations/us-central1/repositories?repositoryId=cloud-run-source-deploy {}",
    "GET storage/storage/v1/b?project=cloudrun-local&prefix=cloudrun-local_cloudbuild",
    "POST storage/storage/v1/b?project=cloudrun-local {}",
    "POST storage/upload/storage/v1/b/cloudrun-local_cloudbuild/o?uploadType=resumable&name=source%2FTIME-ID.tgz",
    "PUT storage/upload/storage/v1/b/cloudrun-local_cloudbuild/o?uploadType=resumable&name=source%2FTIME-ID.tgz&upload_id=ID",
    "POST cloudbuild/v1/projects/cloudrun-local/locations/global/builds {}",
    "GET run/v2/projects/cloudrun-local/locations/us-central1/services/fresh",
    "POST run/v2/projects/cloudrun-local/locations/us-central1/services?serviceId=fresh {}",
    "GET run/v2/projects/cloudrun-local/locations/us-central1/operations/ID",
    "GET us-central1-run/apis/serving.knative.dev/v1/namespaces/cloudrun-local/services/fresh",
    "",
  ]);
  expect((await cli(["describe", "fresh"])).exitCode).toBe(4);
});
