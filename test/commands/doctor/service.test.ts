import { beforeAll, expect, onTestFinished, test } from "vitest";
import { runCheck, startDoctorEmulator } from "../../helpers/doctor.ts";
import { HELLO, tinyService } from "../../helpers/emulator.ts";

const { project, call, request, build, deploy, check, doctor, disable, forbid, grantOnProject, run, status } = await startDoctorEmulator();

const CALLER = `serviceAccount:caller@${project}.iam.gserviceaccount.com`;
const RUN = "us-central1-run.googleapis.com";
const SERVICES = `/apis/serving.knative.dev/v1/namespaces/${project}/services`;
const HELLO_ENV = { SERVICE_NAME: "hello" };
const AS_CALLER = { GOOGLE_APPLICATION_CREDENTIALS: status().environment["CREDS"] ?? "" };
const ALL = ["service", "reachable", "audience", "policy", "caller"];
let url = "";

beforeAll(async () => {
  ({ url } = await deploy("hello", tinyService(HELLO)));
});

/** Sets who has which role on the service until the test ends. */
async function setPolicy(...bindings: readonly object[]): Promise<void> {
  const path = `/v1/projects/${project}/locations/us-central1/services/hello:setIamPolicy`;
  await call("POST", "run.googleapis.com", path, { policy: { version: 3, bindings } });
  onTestFinished(async () => void (await call("POST", "run.googleapis.com", path, { policy: { bindings: [] } })));
}

const invokers = (...members: readonly string[]) => ({ role: "roles/run.invoker", members });

/** Sets annotations of the service until the test ends. */
async function annotate(annotations: Readonly<Record<string, string>>): Promise<void> {
  const put = async (change: object) => {
    const { metadata, ...rest } = await call("GET", RUN, `${SERVICES}/hello`);
    await call("PUT", RUN, `${SERVICES}/hello`, {
      ...rest,
      metadata: { ...metadata, annotations: { ...metadata.annotations, ...change } },
    });
  };
  await put(annotations);
  onTestFinished(() =>
    put(Object.fromEntries(Object.keys(annotations).map((name) => [name, name.endsWith("/ingress") ? "all" : "false"]))),
  );
}

test("a private service with a caller is ok", async () => {
  await setPolicy(invokers(CALLER));
  const { check: found } = await doctor(ALL, { env: HELLO_ENV });
  expect(ALL.map((name) => found(name).message)).toEqual([
    `hello is ready in us-central1: ${url}`,
    "The service is reachable and rejects unauthenticated requests.",
    `The token's audience matches the service: ${url}`,
    `Principals that can invoke hello: ${CALLER}.`,
    `${CALLER} can invoke hello.`,
  ]);
  expect(found("service").details).toMatchObject({ service: "hello", project, region: "us-central1", url });
});

test("a missing service is a warning, and fails if its URL is set", async () => {
  expect(await check("service", { env: { SERVICE_NAME: "later" } })).toMatchObject({
    status: "warn",
    message: 'Service "later" not found in us-central1.',
    remedy: "cloudrun-oauth deploy later --region us-central1",
  });
  const env = { CLOUD_RUN_SERVICE_URL: url.replace("hello", "gone") };
  const { check: found } = await doctor(ALL, { env });
  expect(found("service")).toMatchObject({ status: "fail", code: "NOT_FOUND", details: { service: "gone" } });
  expect(found("reachable")).toMatchObject({ status: "fail", code: "NOT_REACHABLE" });
  expect(found("policy")).toMatchObject({ status: "skipped", message: 'Skipped: depends on "service".' });
  expect(found("caller")).toMatchObject({ status: "skipped", message: 'Skipped: depends on "service".' });
});

test("a service whose revision doesn't start fails with the reason, and one that is being deployed is a warning", async () => {
  await deploy("broken", tinyService("process.exit(1);"));
  expect(await check("service", { env: { SERVICE_NAME: "broken" } })).toMatchObject({
    status: "fail",
    code: "DEPLOY_FAILED",
    message: expect.stringMatching(/^broken isn't ready\. Revision broken-00001-/),
    remedy: "cloudrun-oauth logs broken --region us-central1",
  });
  const image = `gcr.io/${project}/slow`;
  expect((await build(image, tinyService("setInterval(() => {}, 1000);"))).status).toBe("SUCCESS");
  const body = {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "slow", namespace: project },
    spec: { template: { spec: { containers: [{ image }] } } },
  };
  await call("POST", RUN, SERVICES, body);
  onTestFinished(async () => void (await call("DELETE", RUN, `${SERVICES}/slow`)));
  expect(await check("service", { env: { SERVICE_NAME: "slow" } })).toMatchObject({ status: "warn", message: "slow is being deployed." });
});

test("a service that the deployer can't read is skipped", async () => {
  await grantOnProject(CALLER, "roles/browser");
  const { check: found } = await doctor(["service", "policy"], { env: { ...HELLO_ENV, ...AS_CALLER } });
  expect(found("service")).toMatchObject({ status: "skipped", message: expect.stringContaining("run.services.get") });
  expect(found("policy")).toMatchObject({ status: "skipped", message: 'Skipped: depends on "service".' });
});

test("a public service is a warning", async () => {
  await setPolicy(invokers("allUsers"));
  const { check: found } = await doctor(["reachable", "policy", "caller"], { env: HELLO_ENV });
  expect(found("reachable")).toMatchObject({
    status: "warn",
    message: "The service is public: it returned 200 to an unauthenticated request.",
  });
  expect(found("policy")).toMatchObject({
    status: "warn",
    message: "Anyone can invoke hello: allUsers has roles/run.invoker.",
    remedy: "cloudrun-oauth revoke hello --member allUsers --region us-central1",
  });
  expect(found("caller").status).toBe("ok");
});

test("a service without the invoker check is a warning", async () => {
  await annotate({ "run.googleapis.com/invoker-iam-disabled": "true" });
  const { check: found } = await doctor(["policy", "caller"], { env: HELLO_ENV });
  expect(found("policy")).toMatchObject({ status: "warn", message: "Anyone can invoke hello: its invoker IAM check is disabled." });
  expect(found("caller")).toMatchObject({ status: "ok", message: `${CALLER} can invoke hello, as anyone can.` });
});

test("a service with internal ingress fails with the reason", async () => {
  await annotate({ "run.googleapis.com/ingress": "internal" });
  expect(await check("reachable", { env: HELLO_ENV })).toMatchObject({
    status: "fail",
    code: "NOT_REACHABLE",
    details: { reason: "INGRESS_INTERNAL" },
    remedy: expect.stringContaining("ingress"),
  });
});

test("a service behind Identity-Aware Proxy is reachable", async () => {
  await annotate({ "run.googleapis.com/iap-enabled": "true" });
  expect(await check("reachable", { env: HELLO_ENV })).toMatchObject({
    status: "ok",
    message: "Identity-Aware Proxy protects the service.",
  });
});

test("a URL that no one listens on fails", async () => {
  expect(await runCheck("reachable", { env: { CLOUD_RUN_SERVICE_URL: "http://127.0.0.1:1" } })).toMatchObject({
    status: "fail",
    code: "UNAVAILABLE",
  });
});

test("a token for another audience fails, and gcloud's is valid for every service", async () => {
  const own = { CLOUD_RUN_SERVICE_URL: "http://localhost:1" };
  expect(await check("audience", { env: { ...HELLO_ENV, ...own } })).toMatchObject({
    status: "fail",
    code: "NOT_AUTHENTICATED",
    message: expect.stringMatching(/^Wrong audience: the ID token is for http:\/\/localhost:1, but the service expects https:\/\/hello-/),
    remedy: expect.stringContaining("--add-custom-audiences http://localhost:1"),
    details: { accepted: expect.arrayContaining([url]) },
  });
  await disable("run.googleapis.com");
  expect(await check("audience", { env: own })).toMatchObject({ status: "skipped" });
  expect(await check("audience", { env: { CLOUD_RUN_SERVICE_URL: url } })).toMatchObject({ status: "ok" });
  const { json } = await request("POST", "127.0.0.1", "/_emulator/logins", {
    headers: { "x-cloudrun-oauth": "emulator" },
    body: { email: "ada@example.com" },
  });
  const login = JSON.stringify({ ...json, type: "authorized_user" });
  expect(await check("audience", { env: { ...own, CREDS: login } })).toMatchObject({
    status: "ok",
    message: expect.stringContaining("gcloud's client ID"),
  });
});

test("a caller without access fails, with the grant that gives access", async () => {
  await setPolicy();
  const { check: found } = await doctor(["policy", "caller"], { env: HELLO_ENV });
  expect(found("policy")).toMatchObject({ status: "warn", message: "No principal has access to hello itself, only through the project." });
  expect(found("caller")).toMatchObject({
    status: "fail",
    code: "NOT_AUTHORIZED",
    message: `${CALLER} doesn't have permission to invoke "hello" (roles/run.invoker).`,
    remedy: `cloudrun-oauth grant hello --member ${CALLER} --region us-central1`,
  });
  const remedy = (found("caller").remedy ?? "").split(" ").slice(1);
  onTestFinished(async () => void (await run(["revoke", "hello", "--member", CALLER])));
  expect((await run(remedy)).exitCode).toBe(0);
  expect((await doctor(["policy", "caller"], { env: HELLO_ENV })).exitCode).toBe(0);
});

test("a caller with access through the project is ok, and a warning if that can't be read", async () => {
  await grantOnProject(CALLER, "roles/run.invoker");
  expect(await check("caller", { env: HELLO_ENV })).toMatchObject({
    status: "ok",
    message: `${CALLER} can invoke hello through the project or a group.`,
  });
  await disable("policytroubleshooter.googleapis.com");
  await grantOnProject(CALLER, "roles/run.viewer");
  expect(await check("caller", { env: { ...HELLO_ENV, ...AS_CALLER } })).toMatchObject({
    status: "warn",
    message: expect.stringContaining("can't be checked"),
  });
});

test("the output for people is grouped, and has hints and commands for warnings and failures", async () => {
  await forbid("constraints/iam.disableServiceAccountKeyCreation", { booleanPolicy: { enforced: true } });
  const { exitCode, stdout, stderr } = await run(["doctor", "node", "org-key-creation", "service", "caller"], { env: HELLO_ENV });
  const failure = `${CALLER} doesn't have permission to invoke "hello" (roles/run.invoker).`;
  expect({ exitCode, stdout }).toEqual({
    exitCode: 9,
    stdout: `This machine
  ✓ node              Node.js ${process.version}

Organization
  ! org-key-creation  The organization doesn't allow service account keys (constraints/iam.disableServiceAccountKeyCreation).
                      To call a service without a key:
                        cloudrun-oauth invoke --impersonate-service-account ACCOUNT

Service
  ✓ service           hello is ready in us-central1: ${url}
  ✗ caller            ${failure}
                      To grant access:
                        cloudrun-oauth grant hello --member ${CALLER} --region us-central1

2 passed, 1 warning, 1 failed
`,
  });
  expect(stderr).toBe(
    `Error: 1 of 4 checks failed: caller. [NOT_AUTHORIZED]\n  To grant access:\n    cloudrun-oauth grant hello --member ${CALLER} --region us-central1\n`,
  );
});
