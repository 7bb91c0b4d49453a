import { expect, test } from "vitest";
import { readGcloudError } from "../../../src/cloud/gcloud/errors.ts";

const args = ["run", "deploy", "hello", "--project", "my-project", "--region", "europe-west1"];
const NOT_READY = "ERROR: (gcloud.run.deploy) Revision 'hello-00001-abc' is not ready and cannot serve traffic.";

/** gcloud's output, and the error's code, its message, and a part of its hint and commands. */
const CASES: readonly (readonly [stderr: string, code: string, message: string, help: string])[] = [
  [
    "API [cloudbuild.googleapis.com] not enabled on project [my-project].\nERROR: (gcloud.builds.submit) API [cloudbuild.googleapis.com] not enabled on project [my-project]. Would you like to enable and retry (this will take a few minutes)? (y/N)?",
    "PERMISSION_DENIED",
    "cloudbuild.googleapis.com isn't enabled in project my-project.",
    "apis/library/cloudbuild.googleapis.com?project=my-project",
  ],
  [
    "ERROR: (gcloud.run.services.describe) [me@example.com] does not have permission to access namespaces instance [my-project] (or it may not exist): Permission 'run.services.get' denied on resource 'namespaces/my-project/services/hello' (or resource may not exist).",
    "PERMISSION_DENIED",
    "me@example.com doesn't have the permission run.services.get in project my-project.",
    "gcloud projects add-iam-policy-binding my-project --member user:me@example.com --role roles/run.developer",
  ],
  [
    "ERROR: (gcloud.run.deploy) PERMISSION_DENIED: Permission 'iam.serviceaccounts.actAs' denied on service account 1-compute@developer.gserviceaccount.com (or it may not exist). This command is authenticated as ci@my-project.iam.gserviceaccount.com which is the active account specified by the [core/account] property.",
    "PERMISSION_DENIED",
    "ci@my-project.iam.gserviceaccount.com doesn't have the permission iam.serviceaccounts.actAs in project my-project.",
    "--member serviceAccount:ci@my-project.iam.gserviceaccount.com --role roles/iam.serviceAccountUser",
  ],
  [
    "ERROR: (gcloud.builds.submit) ci@my-project.iam.gserviceaccount.com does not have storage.objects.create access to the Google Cloud Storage object. Permission 'storage.objects.create' denied on resource (or it may not exist).",
    "PERMISSION_DENIED",
    "Your account doesn't have the permission storage.objects.create in project my-project.",
    "roles/storage.objectAdmin",
  ],
  [
    "ERROR: (gcloud.run.services.add-iam-policy-binding) FAILED_PRECONDITION: One or more users named in the policy do not belong to a permitted customer, perhaps due to an organization policy.",
    "ORG_POLICY",
    "Your organization doesn't allow members from outside the organization (constraints/iam.allowedPolicyMemberDomains).",
    "Grant access to a member of your organization.",
  ],
  [
    "ERROR: (gcloud.run.deploy) FAILED_PRECONDITION: Constraint constraints/run.allowedIngress violated for projects/my-project attempting to set ingress.",
    "ORG_POLICY",
    "An organization policy doesn't allow this: Constraint constraints/run.allowedIngress violated for projects/my-project attempting to set ingress.",
    "about constraints/run.allowedIngress",
  ],
  [
    `Deployment failed\n${NOT_READY} Image 'gcr.io/my-project/hello' not found.`,
    "NOT_FOUND",
    "Image gcr.io/my-project/hello not found.",
    "build --image gcr.io/my-project/hello",
  ],
  [
    `${NOT_READY} The user-provided container failed to start and listen on the port defined provided by the PORT=8080 environment variable within the allocated timeout. Logs for this revision might contain more information.`,
    "DEPLOY_FAILED",
    "Revision hello-00001-abc failed to start: the container didn't start listening on port 8080 in time.",
    "logs hello --revision hello-00001-abc",
  ],
  [
    `${NOT_READY} Memory limit of 512 MiB exceeded with 600 MiB used.`,
    "DEPLOY_FAILED",
    "Memory limit of 512 MiB exceeded with 600 MiB used.",
    "",
  ],
  [
    "ERROR: (gcloud.builds.submit) push failed: gcr.io repo does not exist. Creating on push requires the artifactregistry.repositories.createOnPush permission",
    "PERMISSION_DENIED",
    "Can't push to gcr.io: Container Registry has been shut down.",
    "europe-west1-docker.pkg.dev/my-project/cloudrun-oauth/NAME",
  ],
  [
    "ERROR: (gcloud.run.deploy) You do not currently have an active account selected.\nPlease run:\n\n  $ gcloud auth login\n",
    "CREDENTIALS_MISSING",
    "You aren't signed in to gcloud, or your session has expired.",
    "gcloud auth login",
  ],
  [
    "ERROR: (gcloud.run.deploy) There was a problem refreshing your current auth tokens: ('invalid_grant: Invalid JWT Signature.', {'error': 'invalid_grant'})",
    "CREDENTIALS_MISSING",
    "You aren't signed in to gcloud, or your session has expired.",
    "gcloud auth login",
  ],
  [
    // A progress line that mentions --allow-unauthenticated isn't a failed sign-in.
    "To retry: gcloud run deploy hello --allow-unauthenticated\nERROR: (gcloud.run.services.describe) Cannot find service [hello]",
    "NOT_FOUND",
    'Service "hello" not found in europe-west1.',
    "list",
  ],
  [
    "ERROR: (gcloud.run.services.add-iam-policy-binding) ABORTED: There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
    "CONFLICT",
    "The resource was modified by another request at the same time: There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
    "Run the command again.",
  ],
  [
    "ERROR: gcloud crashed (ConnectionError): HTTPSConnectionPool(host='oauth2.googleapis.com', port=443): Max retries exceeded with url: /token",
    "UNAVAILABLE",
    "Can't reach Google Cloud: gcloud crashed (ConnectionError): HTTPSConnectionPool(host='oauth2.googleapis.com', port=443): Max retries exceeded with url: /token",
    "network",
  ],
  [
    'Logs are available at [ https://console.cloud.google.com/cloud-build/builds/1?project=1 ].\n\nBUILD FAILURE: Build step failure: build step 0 "gcr.io/cloud-builders/docker" failed: step exited with non-zero status: 1\nERROR: (gcloud.builds.submit) build 1 completed with status "FAILURE"',
    "BUILD_FAILED",
    'Build failed: build step 0 "gcr.io/cloud-builders/docker" failed: step exited with non-zero status: 1.',
    "Build log: https://console.cloud.google.com/cloud-build/builds/1?project=1",
  ],
  ["ERROR: (gcloud.run.deploy) A new kind of error.\nSecond line of it.", "GCLOUD_FAILED", "gcloud failed: A new kind of error.", ""],
];

test.for(CASES)("%s", ([stderr, code, message, help]) => {
  const error = readGcloudError({ stdout: "", stderr, exitCode: 1, args });
  expect([error.code, error.message, (error.cause as Error).message]).toEqual([code, message, stderr.trim()]);
  const commands = error.next.map(({ program = "", command }) => `${program} ${command.join(" ")}`);
  expect([error.hint, ...commands].join("\n")).toContain(help);
});

test("a command line that gcloud doesn't understand is a usage error", () => {
  const stderr = "ERROR: (gcloud.run.deploy) unrecognized arguments: --frob (did you mean '--from'?)\n\nTo search the help text";
  expect(readGcloudError({ stdout: "", stderr, exitCode: 2, args })).toMatchObject({
    code: "USAGE",
    message: "gcloud rejected the command line: unrecognized arguments: --frob (did you mean '--from'?)",
  });
});

test("without any error text, the error has the exit code", () => {
  expect(readGcloudError({ stdout: "", stderr: "", exitCode: 99, args }).message).toBe("gcloud failed: exit code 99");
});
