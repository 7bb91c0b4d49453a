import { expect, test } from "vitest";
import { grantLabel } from "../../../src/commands/up/ownership-labels.ts";
import { fakeGcloud, KNATIVE_SERVICE, runCli } from "../../helpers/command-line.ts";
import { CALLER, openUpEmulator, upFolder } from "../../helpers/up.ts";

const REPOSITORY = "us-central1-docker.pkg.dev/cloudrun-local/cloudrun-oauth";

const { json, run } = openUpEmulator();

test("down revokes the grant that up made on an existing service, and no other", async () => {
  const cwd = upFolder("mine");
  await json(["build"], { cwd });
  await json(["deploy", "mine"], { cwd });
  await json(["grant", "mine", "--member", "user:me@example.com"]);
  await json(["up"], { cwd });
  // A member who had access before keeps it, even if up grants it, too.
  await json(["up", "--member", "user:me@example.com"], { cwd });
  expect((await json(["down", "mine", "--plan"])).would_remove).toEqual([
    { kind: "grant", name: `roles/run.invoker to ${CALLER} on mine` },
  ]);
  const { stderr } = await run(["down", "mine", "--yes"]);
  expect(stderr).toContain("Service mine existed before `up`, so it and its images are kept");
  const { members } = await json(["describe", "mine"]);
  expect(members.filter(({ role }: { role: string }) => role === "roles/run.invoker")).toMatchObject([{ member: "user:me@example.com" }]);
  expect((await json(["describe", "mine"])).labels).toEqual({});
  // A label without its grant is removed, too.
  await json(["up"], { cwd });
  await json(["revoke", "mine", "--member", CALLER]);
  expect((await json(["down", "mine", "--yes"])).removed).toMatchObject([{ kind: "label" }]);
  // down doesn't revoke a grant that someone makes by hand afterwards.
  await json(["grant", "mine", "--member", CALLER]);
  expect((await json(["down", "mine", "--yes"])).removed).toEqual([]);
}, 120_000);

test("down asks, shows what it removes, and leaves a repository with other images", async () => {
  const cwd = upFolder("theirs");
  await json(["up"], { cwd });
  await json(["build", "--image", `${REPOSITORY}/other:v1`], { cwd });
  const unasked = await run(["down", "theirs"]);
  expect(unasked).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringMatching(/service +theirs at https:[\s\S]*--yes/) });
  const { removed } = await json(["down", "theirs", "--yes"]);
  expect(removed.map(({ kind }: { kind: string }) => kind)).toEqual(["service", "grant", "image"]);
  expect((await run(["describe", "theirs"])).exitCode).toBe(4);
}, 60_000);

test("--dry-run prints the requests that read and remove", async () => {
  const { stdout } = await runCli(["down", "hello", "--dry-run", "--project", "my-project", "--via", "api"]);
  expect(stdout.split("\n").map((line) => line.replace(/(?:https:\/\/)([^/.]+).*\/([^/]+)$/, "$1 $2"))).toEqual([
    "GET us-central1-run hello",
    "GET run hello:getIamPolicy?options.requestedPolicyVersion=3",
    "GET artifactregistry dockerImages?pageSize=1000",
    "GET artifactregistry cloudrun-oauth",
    "DELETE us-central1-run hello",
    "GET us-central1-run hello",
    "DELETE artifactregistry DIGEST?force=true",
    "DELETE artifactregistry cloudrun-oauth",
    "",
  ]);
});

test("down runs exact lines of gcloud", async () => {
  const label = grantLabel(CALLER);
  const service = { ...KNATIVE_SERVICE, metadata: { ...KNATIVE_SERVICE.metadata, labels: { [label]: "granted" } } };
  const where = "--project my-project --region us-central1 --quiet --format=json";
  const policy = { bindings: [{ role: "roles/run.invoker", members: [CALLER, "user:me@example.com"] }], etag: "abc=" };
  const path = fakeGcloud(
    { line: `run services describe hello ${where}`, stdout: JSON.stringify(service) },
    { line: `run services get-iam-policy hello ${where}`, stdout: JSON.stringify(policy) },
    {
      line: `run services remove-iam-policy-binding hello --member ${CALLER} --role roles/run.invoker --condition=None ${where}`,
      stdout: "{}",
    },
    { line: `run services update hello --remove-labels ${label} ${where}`, stdout: JSON.stringify(service) },
  );
  const { exitCode, stdout } = await runCli(["down", "hello", "--yes"], { env: { ...path, PROJECT_ID: "my-project" } });
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `grant\troles/run.invoker to ${CALLER} on hello\n` });
});
