import { beforeEach, expect, onTestFinished, test } from "vitest";
import { startDoctorEmulator } from "../../helpers/doctor.ts";

const { project, call, check, doctor, disable, grantOnProject, status } = await startDoctorEmulator();

const RESOURCES = "cloudresourcemanager.googleapis.com";
const BILLING = "cloudbilling.googleapis.com";
const { environment } = status();
/** The control plane as the caller, which has no access until it is granted some. */
const AS_CALLER = { env: { GOOGLE_APPLICATION_CREDENTIALS: environment["CREDS"] ?? "" } };
const CALLER = `serviceAccount:caller@${project}.iam.gserviceaccount.com`;

let number = "";
beforeEach(async () => {
  number = (await call("GET", RESOURCES, `/v1/projects/${project}`))["projectNumber"];
});

test("an active project is ok, with the source of the setting", async () => {
  expect(await check("project")).toMatchObject({
    status: "ok",
    message: `Project ${project} (number ${number}) is active; set by PROJECT_ID.`,
    details: { project, number, source: "PROJECT_ID" },
  });
});

test("without a project the check fails, and what depends on it is skipped", async () => {
  const env = { PROJECT_ID: "", GOOGLE_CLOUD_PROJECT: "", CLOUDSDK_CORE_PROJECT: "" };
  const { check: found } = await doctor(["project", "billing", "may-deploy", "gcr", "org-ingress"], { env });
  expect(found("project")).toMatchObject({
    status: "fail",
    code: "USAGE",
    message: "No project specified.",
    remedy: "cloudrun-oauth config set project PROJECT",
  });
  for (const name of ["billing", "may-deploy", "gcr", "org-ingress"])
    expect(found(name)).toMatchObject({ status: "skipped", message: 'Skipped: depends on "project".' });
});

test("a project that doesn't exist or is hidden fails", async () => {
  expect(await check("project", { env: { PROJECT_ID: "no-such-project" } })).toMatchObject({
    status: "fail",
    code: "PERMISSION_DENIED",
    message: `Project "no-such-project" (from PROJECT_ID) not found, or operator@${project}.iam.gserviceaccount.com doesn't have access to it.`,
  });
});

test("a deleted project fails, with how to restore it, and checks that need it are skipped", async () => {
  await call("DELETE", RESOURCES, `/v1/projects/${project}`);
  onTestFinished(async () => void (await call("POST", RESOURCES, `/v1/projects/${project}:undelete`, {})));
  const { check: found } = await doctor(["project", "apis"]);
  expect(found("project")).toMatchObject({
    status: "fail",
    code: "NOT_FOUND",
    message: `Project ${project} was deleted (DELETE_REQUESTED).`,
    remedy: `cloudrun-oauth emulator exec -- gcloud projects undelete ${project}`,
  });
  expect(found("apis")).toMatchObject({ status: "skipped", message: 'Skipped: depends on "project".' });
});

test("a project that can't be read doesn't stop the other checks", async () => {
  await disable(RESOURCES);
  const { check: found } = await doctor(["project", "billing", "runtime-account", "may-build"]);
  expect(found("project")).toMatchObject({ status: "warn", fixable: true, remedy: "cloudrun-oauth doctor project --fix" });
  expect(found("billing").status).toBe("ok");
  expect(found("runtime-account")).toMatchObject({ status: "skipped", message: 'Skipped: depends on "project".' });
  expect(found("may-build")).toMatchObject({ status: "skipped", message: expect.stringMatching(/^Can't check: cloudresourcemanager/) });
});

test("billing is ok, fails if it is missing, and is skipped without permission", async () => {
  expect(await check("billing")).toMatchObject({ status: "ok", details: { billing_account: expect.stringMatching(/^billingAccounts\//) } });
  const { billingAccountName } = await call("GET", BILLING, `/v1/projects/${project}/billingInfo`);
  await call("PUT", BILLING, `/v1/projects/${project}/billingInfo`, { billingAccountName: "" });
  onTestFinished(async () => void (await call("PUT", BILLING, `/v1/projects/${project}/billingInfo`, { billingAccountName })));
  expect(await check("billing")).toMatchObject({
    status: "fail",
    code: "PERMISSION_DENIED",
    remedy: `cloudrun-oauth emulator exec -- gcloud billing accounts list\ncloudrun-oauth emulator exec -- gcloud billing projects link ${project} --billing-account ACCOUNT_ID`,
  });
  await disable(BILLING);
  expect(await check("billing")).toMatchObject({ status: "skipped", remedy: expect.stringContaining(BILLING) });
});

test("APIs are ok, fail if a required one isn't enabled, and are a warning if an optional one isn't", async () => {
  expect(await check("apis")).toMatchObject({ status: "ok" });
  await disable("logging.googleapis.com");
  expect(await check("apis")).toMatchObject({ status: "warn", fixable: true, details: { missing: ["logging.googleapis.com"] } });
  await disable("run.googleapis.com");
  expect(await check("apis")).toMatchObject({
    status: "fail",
    code: "PERMISSION_DENIED",
    message: `These APIs aren't enabled in ${project}: run.googleapis.com, logging.googleapis.com.`,
    remedy: "cloudrun-oauth doctor apis --fix",
    fixable: true,
  });
  await grantOnProject(CALLER, "roles/browser");
  expect(await check("apis", AS_CALLER)).toMatchObject({
    status: "skipped",
    message: expect.stringContaining("serviceusage.services.get"),
  });
});

test("a region is ok, fails without Cloud Run, and is skipped if the Cloud Run API isn't enabled", async () => {
  expect(await check("region")).toMatchObject({ status: "ok", details: { region: "us-central1" } });
  expect(await check("region", { env: { GOOGLE_CLOUD_REGION: "europe-west99" } })).toMatchObject({
    status: "fail",
    code: "SETTINGS_INVALID",
    message: "Cloud Run isn't available in europe-west99 (from GOOGLE_CLOUD_REGION).",
    details: { regions: expect.arrayContaining(["europe-west1"]) },
  });
  await disable("run.googleapis.com");
  expect(await check("region")).toMatchObject({ status: "skipped" });
});

const MAY = ["may-deploy", "may-build", "may-upload", "may-push", "may-act-as", "may-enable", "may-read-logs"];

test("an owner can do everything", async () => {
  const { results } = await doctor(MAY);
  expect(results.map(({ name, status }) => `${name}: ${status}`).toSorted()).toEqual(MAY.map((name) => `${name}: ok`).toSorted());
});

test("a deployer with too few roles fails, with the missing permissions", async () => {
  await grantOnProject(CALLER, "roles/browser");
  const { check: found } = await doctor(MAY, AS_CALLER);
  const account = `caller@${project}.iam.gserviceaccount.com`;
  for (const [name, role, status] of [
    ["may-deploy", "roles/run.admin", "fail"],
    ["may-build", "roles/cloudbuild.builds.editor", "fail"],
    ["may-upload", "roles/storage.admin", "fail"],
    ["may-push", "roles/artifactregistry.admin", "fail"],
    ["may-enable", "roles/serviceusage.serviceUsageAdmin", "warn"],
    ["may-read-logs", "roles/logging.viewer", "warn"],
  ] as const) {
    expect(found(name)).toMatchObject({
      status,
      message: expect.stringMatching(new RegExp(`^${account} can't .*: missing `)),
      remedy: `cloudrun-oauth emulator exec -- gcloud projects add-iam-policy-binding ${project} --member ${CALLER} --role ${role}`,
    });
    expect(found(name).details["missing"]).toEqual(found(name).details["permissions"]);
  }
  // The caller can't even read the account.
  expect(found("may-act-as")).toMatchObject({ status: "fail", remedy: expect.stringContaining("roles/iam.serviceAccountUser") });
});

test("the roles of the original sample are not enough, and those that the checks name are", async () => {
  await grantOnProject(CALLER, "roles/run.admin", "roles/storage.admin");
  const some = await doctor(MAY, AS_CALLER);
  expect(some.results.filter(({ status }) => status === "fail").map(({ name }) => name)).toEqual(["may-build", "may-push", "may-act-as"]);
  await grantOnProject(
    CALLER,
    ...["cloudbuild.builds.editor", "artifactregistry.admin", "iam.serviceAccountUser"].map((role) => `roles/${role}`),
  );
  expect((await doctor(MAY, AS_CALLER)).exitCode).toBe(0);
});

test("acting as the runtime account alone is enough", async () => {
  const runtime = `${number}-compute@developer.gserviceaccount.com`;
  const path = `/v1/projects/${project}/serviceAccounts/${runtime}:setIamPolicy`;
  await grantOnProject(CALLER, "roles/browser");
  await call("POST", "iam.googleapis.com", path, { policy: { bindings: [{ role: "roles/iam.serviceAccountUser", members: [CALLER] }] } });
  onTestFinished(async () => void (await call("POST", "iam.googleapis.com", path, { policy: { bindings: [] } })));
  expect(await check("may-act-as", AS_CALLER)).toMatchObject({ status: "ok", message: `You can deploy services that run as ${runtime}.` });
});
