import { expect, test } from "vitest";
import { readGcloudError } from "../../../src/cloud/gcloud/errors.ts";

const args = ["run", "deploy", "hello", "--project", "my-project", "--region", "europe-west1"];

/** gcloud's output, and the error's code, a part of its message and a part of its hint. */
const CASES: readonly (readonly [stderr: string, code: string, message: string, hint: string])[] = [
  [
    "ERROR: (gcloud.run.deploy) PERMISSION_DENIED: Cloud Run Admin API has not been used in project my-project before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/run.googleapis.com/overview?project=my-project then retry.",
    "PERMISSION_DENIED",
    "run.googleapis.com is not enabled in project my-project.",
    "gcloud services enable run.googleapis.com --project my-project",
  ],
  [
    "API [cloudbuild.googleapis.com] not enabled on project [my-project].\nERROR: (gcloud.builds.submit) API [cloudbuild.googleapis.com] not enabled on project [my-project]. Would you like to enable and retry (this will take a few minutes)? (y/N)?",
    "PERMISSION_DENIED",
    "cloudbuild.googleapis.com is not enabled",
    "gcloud services enable cloudbuild.googleapis.com --project my-project",
  ],
  [
    "ERROR: (gcloud.run.services.describe) [me@example.com] does not have permission to access namespaces instance [my-project] (or it may not exist): Permission 'run.services.get' denied on resource 'namespaces/my-project/services/hello' (or resource may not exist).",
    "PERMISSION_DENIED",
    "me@example.com lacks the permission run.services.get in project my-project.",
    "gcloud projects add-iam-policy-binding my-project --member user:me@example.com --role roles/run.developer",
  ],
  [
    "ERROR: (gcloud.run.deploy) PERMISSION_DENIED: Permission 'iam.serviceaccounts.actAs' denied on service account 1-compute@developer.gserviceaccount.com (or it may not exist). This command is authenticated as ci@my-project.iam.gserviceaccount.com which is the active account specified by the [core/account] property.",
    "PERMISSION_DENIED",
    "lacks the permission iam.serviceaccounts.actAs",
    "--member serviceAccount:ci@my-project.iam.gserviceaccount.com --role roles/iam.serviceAccountUser",
  ],
  [
    "ERROR: (gcloud.builds.submit) ci@my-project.iam.gserviceaccount.com does not have storage.objects.create access to the Google Cloud Storage object. Permission 'storage.objects.create' denied on resource (or it may not exist).",
    "PERMISSION_DENIED",
    "lacks the permission storage.objects.create",
    "roles/storage.objectAdmin",
  ],
  [
    "ERROR: (gcloud.run.services.add-iam-policy-binding) FAILED_PRECONDITION: One or more users named in the policy do not belong to a permitted customer, perhaps due to an organization policy.",
    "ORG_POLICY",
    "allows no members from outside",
    "Grant a member of your organisation",
  ],
  [
    "ERROR: (gcloud.run.deploy) FAILED_PRECONDITION: Constraint constraints/run.allowedIngress violated for projects/my-project attempting to set ingress.",
    "ORG_POLICY",
    "An organisation policy forbids it: Constraint constraints/run.allowedIngress violated",
    "about constraints/run.allowedIngress",
  ],
  [
    "Deployment failed\nERROR: (gcloud.run.deploy) Revision 'hello-00001-abc' is not ready and cannot serve traffic. Image 'gcr.io/my-project/hello' not found.",
    "NOT_FOUND",
    "There is no image gcr.io/my-project/hello.",
    "cloudrun-oauth build",
  ],
  [
    "ERROR: (gcloud.run.deploy) Revision 'hello-00001-abc' is not ready and cannot serve traffic. The user-provided container failed to start and listen on the port defined provided by the PORT=8080 environment variable within the allocated timeout. Logs for this revision might contain more information.",
    "DEPLOY_FAILED",
    "The container did not listen on port 8080 in time.",
    "0.0.0.0",
  ],
  [
    "ERROR: (gcloud.run.deploy) Revision 'hello-00001-abc' is not ready and cannot serve traffic. Memory limit of 512 MiB exceeded with 600 MiB used.",
    "DEPLOY_FAILED",
    "Memory limit of 512 MiB exceeded",
    "",
  ],
  [
    "denied: gcr.io repo does not exist. Creating on push requires the artifactregistry.repositories.createOnPush permission\nERROR: (gcloud.builds.submit) push failed: gcr.io repo does not exist. Creating on push requires the artifactregistry.repositories.createOnPush permission",
    "PERMISSION_DENIED",
    "gcr.io is closed for writing",
    "europe-west1-docker.pkg.dev/my-project/cloudrun-oauth/NAME",
  ],
  [
    "ERROR: (gcloud.run.deploy) You do not currently have an active account selected.\nPlease run:\n\n  $ gcloud auth login\n",
    "CREDENTIALS_MISSING",
    "does not know who you are",
    "gcloud auth login",
  ],
  [
    "ERROR: (gcloud.run.deploy) There was a problem refreshing your current auth tokens: ('invalid_grant: Invalid JWT Signature.', {'error': 'invalid_grant'})",
    "CREDENTIALS_MISSING",
    "does not know who you are",
    "gcloud auth login",
  ],
  [
    "ERROR: (gcloud.run.services.describe) Cannot find service [hello]",
    "NOT_FOUND",
    "There is no service hello.",
    "not in europe-west1 of project my-project",
  ],
  [
    "ERROR: (gcloud.run.services.list) NOT_FOUND: Project 'my-project' not found or deleted.",
    "NOT_FOUND",
    "There is no project my-project.",
    "gcloud projects list",
  ],
  [
    "ERROR: (gcloud.run.deploy) PERMISSION_DENIED: Permission denied on resource project my-project.",
    "PERMISSION_DENIED",
    "Project my-project does not exist, or you may not use it.",
    "gcloud projects list",
  ],
  [
    "ERROR: (gcloud.run.services.add-iam-policy-binding) ABORTED: There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
    "CONFLICT",
    "There were concurrent policy changes.",
    "again",
  ],
  [
    "ERROR: gcloud crashed (ConnectionError): HTTPSConnectionPool(host='oauth2.googleapis.com', port=443): Max retries exceeded with url: /token",
    "UNAVAILABLE",
    "Google's API cannot be reached",
    "network",
  ],
  [
    'Logs are available at [ https://console.cloud.google.com/cloud-build/builds/1?project=1 ].\n\nBUILD FAILURE: Build step failure: build step 0 "gcr.io/cloud-builders/docker" failed: step exited with non-zero status: 1\nERROR: (gcloud.builds.submit) build 1 completed with status "FAILURE"',
    "BUILD_FAILED",
    "with FAILURE: Build step failure: build step 0",
    "Its log: https://console.cloud.google.com/cloud-build/builds/1?project=1",
  ],
  [
    "ERROR: (gcloud.run.deploy) Something that nobody has seen.\nSecond line of it.",
    "GCLOUD_FAILED",
    "gcloud failed: Something that nobody has seen.",
    "",
  ],
];

test.for(CASES)("%s", ([stderr, code, message, hint]) => {
  const error = readGcloudError({ stdout: "", stderr, exitCode: 1, args });
  expect(error.code).toBe(code);
  expect(error.message).toContain(message);
  expect(error.hint ?? "").toContain(hint);
  expect((error.cause as Error).message).toBe(stderr.trim());
});

test("a progress line that mentions --allow-unauthenticated isn't a failed sign-in", () => {
  const stderr =
    "Setting IAM Policy...failed\nTo retry: gcloud run deploy hello --allow-unauthenticated\nERROR: (gcloud.run.deploy) Cannot find service [hello]";
  expect(readGcloudError({ stdout: "", stderr, exitCode: 1, args }).code).toBe("NOT_FOUND");
});

test("a command line that gcloud doesn't understand is a usage error", () => {
  const error = readGcloudError({
    stdout: "",
    stderr: "ERROR: (gcloud.run.deploy) unrecognized arguments: --frob (did you mean '--from'?)\n\nTo search the help text",
    exitCode: 2,
    args,
  });
  expect([error.code, error.message]).toEqual([
    "USAGE",
    "gcloud does not understand its command line: unrecognized arguments: --frob (did you mean '--from'?)",
  ]);
});

test("without any error text, the error has the exit code", () => {
  expect(readGcloudError({ stdout: "", stderr: "", exitCode: 99, args }).message).toBe("gcloud failed: exit code 99");
});
