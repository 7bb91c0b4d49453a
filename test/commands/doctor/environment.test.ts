import { beforeEach, expect, onTestFinished, test } from "vitest";
import { startDoctorEmulator } from "../../helpers/doctor.ts";

const { project, call, check, doctor, disable, forbid, grantOnProject, run, status } = await startDoctorEmulator();

const IAM = "iam.googleapis.com";
const REGISTRY = "artifactregistry.googleapis.com";
const AS_CALLER = { env: { GOOGLE_APPLICATION_CREDENTIALS: status().environment["CREDS"] ?? "" } };
const CALLER = `serviceAccount:caller@${project}.iam.gserviceaccount.com`;

let compute = "";
beforeEach(async () => {
  const { projectNumber } = await call("GET", "cloudresourcemanager.googleapis.com", `/v1/projects/${project}`);
  compute = `${projectNumber}-compute@developer.gserviceaccount.com`;
});

async function disableAccount(account: string): Promise<void> {
  const path = `/v1/projects/${project}/serviceAccounts/${account}`;
  await call("POST", IAM, `${path}:disable`, {});
  onTestFinished(async () => void (await call("POST", IAM, `${path}:enable`, {})));
}

/** Creates a repository, and deletes it when the test ends. */
async function createRepository(id: string, location: string): Promise<void> {
  const path = `/v1/projects/${project}/locations/${location}/repositories`;
  await call("POST", REGISTRY, `${path}?repositoryId=${id}`, { format: "DOCKER" });
  onTestFinished(async () => void (await call("DELETE", REGISTRY, `${path}/${id}`)));
}

test("the runtime account is ok, and fails if it is disabled or doesn't exist", async () => {
  expect(await check("runtime-account")).toMatchObject({ status: "ok", details: { account: compute, is_default: true } });
  await disable(IAM);
  expect(await check("runtime-account")).toMatchObject({ status: "skipped", message: expect.stringContaining(IAM) });
});

test("a disabled account of services or builds fails", async () => {
  await disableAccount(compute);
  const { check: found } = await doctor(["runtime-account", "build-account"]);
  const more = { status: "fail", code: "NOT_FOUND", remedy: expect.stringContaining(`service-accounts enable ${compute}`) };
  expect(found("runtime-account")).toMatchObject({
    message: `Service account ${compute}, which services run as by default, is disabled.`,
    ...more,
  });
  expect(found("build-account")).toMatchObject({ message: `Service account ${compute}, which builds run as, is disabled.`, ...more });
});

test("a deleted account of services fails", async () => {
  const path = `/v1/projects/${project}/serviceAccounts`;
  const gone = "gone-runner";
  await call("POST", IAM, path, { accountId: gone });
  expect(await check("build-account")).toMatchObject({ status: "ok" });
  const service = `/apis/serving.knative.dev/v1/namespaces/${project}/services`;
  const email = `${gone}@${project}.iam.gserviceaccount.com`;
  const template = { spec: { serviceAccountName: email, containers: [{ image: `gcr.io/${project}/none` }] } };
  const body = {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "gone", namespace: project },
    spec: { template },
  };
  await call("POST", "us-central1-run.googleapis.com", service, body);
  onTestFinished(async () => void (await call("DELETE", "us-central1-run.googleapis.com", `${service}/gone`)));
  await call("DELETE", IAM, `${path}/${email}`);
  expect(await check("runtime-account", { env: { SERVICE_NAME: "gone" } })).toMatchObject({
    status: "fail",
    code: "NOT_FOUND",
    message: `Service account ${email}, which gone runs as, not found.`,
  });
});

test("the build account is ok, a warning without a role, and skipped without permission", async () => {
  const found = await check("build-account");
  const account = found.details["account"] as string;
  expect(found).toMatchObject({ status: "ok", details: { roles: expect.arrayContaining([expect.stringMatching(/^roles\//)]) } });
  const path = `/v1/projects/${project}`;
  const resources = "cloudresourcemanager.googleapis.com";
  const policy = await call("POST", resources, `${path}:getIamPolicy`, {});
  const bindings = (policy["bindings"] as { role: string; members: string[] }[]).map(({ role, members }) => ({
    role,
    members: members.filter((member) => member !== `serviceAccount:${account}`),
  }));
  await call("POST", resources, `${path}:setIamPolicy`, { policy: { bindings } });
  onTestFinished(async () => void (await call("POST", resources, `${path}:setIamPolicy`, { policy: { bindings: policy["bindings"] } })));
  expect(await check("build-account")).toMatchObject({
    status: "warn",
    remedy: expect.stringContaining(`--member serviceAccount:${account} --role roles/run.builder`),
  });
  await disable("cloudbuild.googleapis.com");
  expect(await check("build-account")).toMatchObject({ status: "skipped" });
});

test("a missing default repository is a warning, and --fix creates it", async () => {
  const missing = await check("repository");
  expect(missing).toMatchObject({
    status: "warn",
    fixable: true,
    message: `Repository cloudrun-oauth in us-central1 (project ${project}) doesn't exist yet; the first build creates it.`,
  });
  const path = `/v1/projects/${project}/locations/us-central1/repositories/cloudrun-oauth`;
  onTestFinished(async () => void (await call("DELETE", REGISTRY, path)));
  const fixed = await doctor(["repository", "--fix", "--yes"]);
  expect(fixed).toMatchObject({ results: [{ name: "repository", status: "ok", fixable: false }] });
  expect(fixed.stderr).toContain("✓ Created repository cloudrun-oauth");
  expect(await call("GET", REGISTRY, path)).toMatchObject({ format: "DOCKER" });
});

test("a repository from the settings fails if it is missing, and is ok if it exists", async () => {
  const env = { CLOUDRUN_OAUTH_IMAGE: `europe-west1-docker.pkg.dev/${project}/apps/hello` };
  expect(await check("repository", { env })).toMatchObject({ status: "fail", code: "NOT_FOUND", fixable: true });
  await createRepository("apps", "europe-west1");
  expect(await check("repository", { env })).toMatchObject({ status: "ok" });
  await disable(REGISTRY);
  expect(await check("repository", { env })).toMatchObject({ status: "skipped" });
});

test("gcr.io fails, unless Artifact Registry serves it", async () => {
  expect(await check("gcr")).toMatchObject({ status: "ok" });
  const env = { CLOUDRUN_OAUTH_IMAGE: `eu.gcr.io/${project}/hello:v1` };
  const { check: found } = await doctor(["repository", "gcr"], { env });
  expect(found("repository")).toMatchObject({ status: "skipped" });
  expect(found("gcr")).toMatchObject({
    status: "fail",
    code: "PERMISSION_DENIED",
    message: `eu.gcr.io/${project}/hello:v1 is on eu.gcr.io, but Container Registry has been shut down.`,
    remedy: `cloudrun-oauth config set image us-central1-docker.pkg.dev/${project}/cloudrun-oauth/hello`,
  });
  await createRepository("eu.gcr.io", "europe");
  expect(await check("gcr", { env })).toMatchObject({ status: "ok" });
  await disable(REGISTRY);
  expect(await check("gcr", { env })).toMatchObject({ status: "skipped" });
});

const ORG = ["org-key-creation", "org-members", "org-ingress", "org-invoker-check", "org-locations"];

test("an organization without restrictions is ok", async () => {
  expect((await doctor(ORG)).results.map(({ status }) => status)).toEqual(ORG.map(() => "ok"));
});

test.for([
  ["org-key-creation", "iam.disableServiceAccountKeyCreation", { booleanPolicy: { enforced: true } }, "doesn't allow service account keys"],
  [
    "org-key-creation",
    "iam.managed.disableServiceAccountKeyCreation",
    { booleanPolicy: { enforced: true } },
    "doesn't allow service account keys",
  ],
  ["org-members", "iam.allowedPolicyMemberDomains", { listPolicy: { allowedValues: ["C0abc"] } }, "members outside its domains"],
  ["org-ingress", "run.allowedIngress", { listPolicy: { allowedValues: ["internal"] } }, "doesn't allow ingress from the internet"],
  ["org-invoker-check", "run.managed.requireInvokerIam", { booleanPolicy: { enforced: true } }, "rejects --no-invoker-iam-check"],
  ["org-locations", "gcp.resourceLocations", { listPolicy: { allowedValues: ["europe-west1"] } }, "doesn't allow resources in us-central1"],
  ["org-locations", "gcp.resourceLocations", { listPolicy: { allowedValues: ["in:us-locations"] } }, "these locations: in:us-locations"],
  ["org-locations", "gcp.resourceLocations", { listPolicy: { deniedValues: ["us-central1"] } }, "doesn't allow resources in us-central1"],
] as const)("%s is a warning under %s %j", async ([name, constraint, rule, sentence]) => {
  await forbid(`constraints/${constraint}`, rule);
  expect(await check(name)).toMatchObject({
    status: "warn",
    message: expect.stringMatching(new RegExp(`${sentence}.* \\(constraints/${constraint}\\)\\.$`)),
    remedy: expect.any(String),
  });
});

test.for([
  ["org-ingress", "run.allowedIngress", { listPolicy: { allowedValues: ["all", "internal"] } }],
  ["org-locations", "gcp.resourceLocations", { listPolicy: { allowedValues: ["in:us-central1-locations"] } }],
  ["org-key-creation", "iam.disableServiceAccountKeyCreation", { booleanPolicy: { enforced: false } }],
  ["org-members", "iam.allowedPolicyMemberDomains", { listPolicy: { allValues: "ALLOW" } }],
] as const)("%s is ok under %s %j", async ([name, constraint, rule]) => {
  await forbid(`constraints/${constraint}`, rule);
  expect(await check(name)).toMatchObject({ status: "ok" });
});

test("organization policies are skipped if they can't be read or their API isn't enabled", async () => {
  await grantOnProject(CALLER, "roles/browser");
  const hidden = await doctor(ORG, AS_CALLER);
  expect(hidden.results.map(({ status, message }) => `${status}: ${message}`)).toEqual(
    ORG.map(() => expect.stringMatching(/^skipped: Can't check: .*orgpolicy\.policy\.get/)),
  );
  await disable("orgpolicy.googleapis.com");
  expect((await doctor(ORG)).results.map(({ status }) => status)).toEqual(ORG.map(() => "skipped"));
});

test("--fix enables APIs after asking, prints its plan under --dry-run, and doesn't ask without a terminal", async () => {
  await disable("logging.googleapis.com");
  await disable("run.googleapis.com");
  const line = `POST https://serviceusage.googleapis.com/v1/projects/${project}/services:batchEnable {"serviceIds":["run.googleapis.com","logging.googleapis.com"]}`;
  for (const argv of [
    ["doctor", "apis", "--dry-run"],
    ["doctor", "apis", "--fix", "--dry-run", "--yes"],
  ])
    expect(await run(argv)).toMatchObject({ exitCode: 0, stdout: `${line}\n` });
  expect(JSON.parse((await run(["doctor", "apis", "--dry-run", "--json"])).stdout)).toEqual({ dry_run: [line] });
  expect(await run(["doctor", "apis", "--fix"])).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("--yes") });
  expect(await check("apis")).toMatchObject({ status: "fail" });
  expect(await doctor(["apis", "--fix", "--yes"])).toMatchObject({ results: [{ name: "apis", status: "ok" }] });
});

test("a fix that fails is reported, and its check fails again", async () => {
  await disable("run.googleapis.com");
  await grantOnProject(CALLER, "roles/viewer");
  const { stderr, check: found } = await doctor(["apis", "--fix", "--yes"], AS_CALLER);
  expect(stderr).toContain("Warning: caller@");
  expect(found("apis").status).toBe("fail");
});
