import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findImage } from "../../../src/emulator/artifact-registry/images.ts";
import { openTestState, PROJECT, PROJECT_NUMBER, reopenState, signIn, temporaryDirectory } from "../../helpers/api-server.ts";
import { BUILDS, DOCKER, HOST, IMAGE, serveCloudBuild, uploadSource } from "../../helpers/cloud-build.ts";

test("a build goes from QUEUED to SUCCESS, and its image has its tag and digest, and is in the build's results", async () => {
  const cloudBuild = await serveCloudBuild();
  const { id, name, status, logsBucket, projectId } = await cloudBuild.submit("FROM node\nRUN echo hello from the build");
  expect({ name, status, logsBucket, projectId }).toEqual({
    name: `projects/${PROJECT_NUMBER}/locations/global/builds/${id}`,
    status: "QUEUED",
    projectId: PROJECT,
    logsBucket: `gs://${PROJECT_NUMBER}.cloudbuild-logs.googleusercontent.com`,
  });
  const build = await cloudBuild.finish(id);
  expect(build).toMatchObject({
    status: "SUCCESS",
    timeout: "600s",
    steps: [{ name: DOCKER, status: "SUCCESS" }],
    results: { images: [{ name: IMAGE }] },
  });
  const [{ digest }] = build["results"].images;
  const image = findImage(cloudBuild.state, IMAGE);
  expect(image).toMatchObject({ digest, engine: "process", config: { Cmd: ["node", "index.js"] } });
  expect(findImage(cloudBuild.state, `${IMAGE}@${digest}`)).toBe(image);
  expect(findImage(cloudBuild.state, `${IMAGE}:other`)).toBeUndefined();
  expect(readFileSync(join(cloudBuild.state.directory, "images", digest.slice(7), "rootfs", "index.js"), "utf8")).toBe("1");
  expect(readdirSync(join(cloudBuild.state.directory, "builds"))).toEqual([]);

  const { generation } = build["source"].storageSource;
  expect((await cloudBuild.log(id)).replace(/Operation completed.*/, "(size)")).toBe(`starting build "${id}"

FETCHSOURCE
Fetching storage object: gs://${PROJECT}_cloudbuild/source/1.tgz#${generation}
Copying gs://${PROJECT}_cloudbuild/source/1.tgz#${generation}...
(size)
BUILD
Already have image (with digest): ${DOCKER}
Step : FROM node
Step : RUN echo hello from the build
hello from the build
Successfully built ${digest.slice(7, 19)}
Successfully tagged ${IMAGE}:latest
PUSH
Pushing ${IMAGE}
The push refers to repository [${IMAGE}]
latest: digest: ${digest}
DONE
`);
});

test("building the same source again gives the same digest, and stores the image once", async () => {
  const cloudBuild = await serveCloudBuild();
  const digests = new Set<string>();
  for (let count = 0; count < 2; count++) {
    const { id } = await cloudBuild.submit("FROM node");
    digests.add((await cloudBuild.finish(id))["results"].images[0].digest);
  }
  expect(digests.size).toBe(1);
  expect(readdirSync(join(cloudBuild.state.directory, "images"))).toHaveLength(1);
});

test("a build with a failing step ends as FAILURE with the reason, pushes nothing, and its operation has the error", async () => {
  const cloudBuild = await serveCloudBuild();
  const { id } = await cloudBuild.submit("FROM node\nRUN false");
  expect(await cloudBuild.finish(id)).toMatchObject({
    status: "FAILURE",
    failureInfo: { type: "USER_BUILD_STEP" },
    steps: [{ status: "FAILURE", exitCode: 1 }],
  });
  const message = `build step 0 "${DOCKER}" failed: step exited with non-zero status: 1`;
  expect(await cloudBuild.log(id)).toContain(`returned a non-zero code: 1\nERROR\nERROR: ${message}\n`);
  expect(cloudBuild.state.images.list()).toEqual([]);
  const operation = `operations/build/${PROJECT}/${Buffer.from(id).toString("base64")}`;
  for (const name of [operation, `projects/${PROJECT}/locations/global/operations/${id}`]) {
    const { json } = await cloudBuild.request("GET", HOST, `/v1/${name}`);
    expect(json).toMatchObject({ done: true, error: { code: 2, message }, metadata: { build: { id } } });
  }
});

test("the log can be read in ranges while the build runs", async () => {
  const cloudBuild = await serveCloudBuild();
  const { id } = await cloudBuild.submit("FROM node\nRUN echo early\nRUN sleep 60\nRUN echo late");
  const path = `/${PROJECT_NUMBER}.cloudbuild-logs.googleusercontent.com/log-${id}.txt`;
  await expect.poll(() => cloudBuild.log(id)).toContain("early\n");
  const { headers } = await cloudBuild.request("GET", "storage.googleapis.com", path, { headers: { range: "bytes=0-" } });
  const size = Number(headers["content-length"]);
  expect((await cloudBuild.request("GET", "storage.googleapis.com", path, { headers: { range: `bytes=${size}-` } })).status).toBe(416);
  await cloudBuild.request("POST", HOST, `${BUILDS}/${id}:cancel`, { body: {} });
  const rest = await cloudBuild.request("GET", "storage.googleapis.com", path, { headers: { range: `bytes=${size}-` } });
  expect([rest.status, rest.text]).toEqual([206, "CANCELLED\nERROR: context canceled\n"]);
});

test("a canceled build ends as CANCELLED, and one that takes too long as TIMEOUT", async () => {
  const cloudBuild = await serveCloudBuild();
  const { id } = await cloudBuild.submit("FROM node\nRUN sleep 60");
  await expect.poll(() => cloudBuild.engine.builds).toBe(1);
  expect((await cloudBuild.request("POST", HOST, `/v1/projects/${PROJECT}/builds/${id}:cancel`, { body: {} })).json).toMatchObject({
    status: "CANCELLED",
    steps: [{ status: "CANCELLED" }],
  });
  expect((await cloudBuild.request("POST", HOST, `${BUILDS}/${id}:cancel`, { body: {} })).status).toBe(400);

  const late = await cloudBuild.submit("FROM node\nRUN sleep 60", { timeout: "3s" });
  expect(await cloudBuild.finish(late["id"])).toMatchObject({ status: "TIMEOUT", steps: [{ status: "TIMEOUT" }] });
});

test("two builds run at once, and the rest are queued", async () => {
  const cloudBuild = await serveCloudBuild();
  const ids: string[] = [];
  for (let count = 0; count < 4; count++) ids.push((await cloudBuild.submit(`FROM node\nRUN sleep 0.2\nRUN echo ${count}`))["id"]);
  const waiting = (await cloudBuild.submit("FROM node"))["id"];
  expect((await cloudBuild.request("POST", HOST, `${BUILDS}/${waiting}:cancel`, { body: {} })).json["status"]).toBe("CANCELLED");
  for (const id of ids) expect((await cloudBuild.finish(id))["status"]).toBe("SUCCESS");
  expect([cloudBuild.engine.builds, cloudBuild.engine.most]).toEqual([4, 2]);
  expect((await cloudBuild.finish(waiting))["status"]).toBe("CANCELLED");
});

test("a build that the emulator's stop interrupts starts again from its source at the next start", async () => {
  const directory = temporaryDirectory();
  const first = await serveCloudBuild(openTestState(directory));
  const { id } = await first.submit("FROM node\nRUN echo once\nRUN sleep 0.5");
  await expect.poll(() => first.engine.builds).toBe(1);
  await first.builds.close();
  expect(first.state.builds.get(`${PROJECT}/${id}`)?.status).toBe("WORKING");
  mkdirSync(join(directory, "images", "stray"), { recursive: true });
  mkdirSync(join(directory, "builds", id, "stray"), { recursive: true });
  await first.close();
  first.state.close();

  const second = await serveCloudBuild(reopenState(directory));
  expect((await second.finish(id))["status"]).toBe("SUCCESS");
  expect((await second.log(id)).match(/once/g)).toHaveLength(2);
  expect(existsSync(join(directory, "images", "stray"))).toBe(false);
  expect(readdirSync(join(directory, "builds"))).toEqual([]);
});

const step = (name: string, ...args: string[]) => ({ steps: [{ name, args }] });

test.for<[object, string]>([
  [step("gcr.io/cloud-builders/npm", "ci"), "docker) and pack steps, not gcr.io/cloud-builders/npm.\nERROR\nERROR: build step 0"],
  [step(DOCKER, "build", "-f", "no/Dockerfile", "."), "lstat /workspace/no/Dockerfile: no such file or directory"],
  [step(DOCKER, "build", "../.."), 'path "../.." is outside of /workspace'],
  [step(DOCKER, "build", "-t", "gcr.io/P/n", "."), "repository name must be lowercase"],
  [{ images: [`gcr.io/${PROJECT}/other`] }, "An image does not exist locally with the tag: gcr.io/demo-project/other"],
])("a build with %j fails: %s", async ([change, reason]) => {
  const cloudBuild = await serveCloudBuild();
  const { id } = await cloudBuild.submit("FROM node", change as Record<string, unknown>);
  expect((await cloudBuild.finish(id))["status"]).toBe("FAILURE");
  expect(await cloudBuild.log(id)).toContain(reason);
});

test("a push to Artifact Registry needs the repository, and one to another project is denied", async () => {
  const cloudBuild = await serveCloudBuild();
  const push = async (image: string) => {
    const { id } = await cloudBuild.submit("FROM node", { images: [image], steps: [{ name: DOCKER, args: ["build", "-t", image, "."] }] });
    return cloudBuild.finish(id);
  };
  const image = `us-central1-docker.pkg.dev/${PROJECT}/repo/hello`;
  expect(await push(image)).toMatchObject({
    status: "FAILURE",
    failureInfo: { type: "PUSH_FAILED" },
    statusDetail: `failed to push ${image}: name unknown: Repository "repo" not found`,
  });
  expect((await push("gcr.io/other-project/hello"))["statusDetail"]).toContain(
    'denied: Permission "artifactregistry.repositories.uploadArtifacts" denied',
  );
  cloudBuild.state.repositories.set(`${PROJECT}/us-central1/repo`, {
    name: `projects/${PROJECT}/locations/us-central1/repositories/repo`,
    format: "DOCKER",
    createTime: "2026-01-01T00:00:00Z",
  });
  expect((await push(image))["status"]).toBe("SUCCESS");
  expect(findImage(cloudBuild.state, `${image}:latest`)).toBeDefined();
});

test("several steps build in a folder, tag and push, and each log line names its step", async () => {
  const cloudBuild = await serveCloudBuild();
  const source = await uploadSource(cloudBuild.state, { "app/Dockerfile": "FROM node", "app/index.js": "1" });
  const { id } = await cloudBuild.submit("", {
    source,
    images: undefined,
    substitutions: { _TAG: "v1" },
    steps: [
      { name: "docker", id: "make", dir: "app", args: ["build", "-t", "local", "."] },
      { name: DOCKER, args: ["tag", "local", "gcr.io/$PROJECT_ID/hello:${_TAG}"] },
      { name: DOCKER, args: ["push", "gcr.io/$PROJECT_ID/hello:${_TAG}"] },
    ],
  });
  expect(await cloudBuild.finish(id)).toMatchObject({
    status: "SUCCESS",
    steps: [{ status: "SUCCESS" }, { status: "SUCCESS" }, { status: "SUCCESS" }],
  });
  expect(findImage(cloudBuild.state, `${IMAGE}:v1`)).toBeDefined();
  expect(findImage(cloudBuild.state, "local")).toBeUndefined();
  expect(await cloudBuild.log(id)).toContain('Starting Step #0 - "make"\nStep #0 - "make": Already have image');
});

test.for<[object, RegExp]>([
  [{ steps: [] }, /no build steps are specified/],
  [{ timeout: "10m" }, /invalid value for "timeout": must be a number of seconds/],
  [{ timeout: "86401s" }, /at most 86400s/],
  [{ source: { repoSource: {} } }, /supports only sources in Cloud Storage/],
  [{ logsBucket: "gs://none" }, /the logs bucket gs:\/\/none does not exist/],
  [{ images: ["$_NONE"] }, /key in the template "_NONE" is not matched/],
])("the request with %j is refused", async ([change, message]) => {
  const cloudBuild = await serveCloudBuild();
  const { status, json } = await cloudBuild.request("POST", HOST, BUILDS, {
    body: { steps: [{ name: DOCKER, args: ["build", "."] }], ...change },
  });
  expect([status, json["error"].message]).toEqual([400, expect.stringMatching(message)]);
});

test("builds are listed newest first, by location, filter and page; defaultServiceAccount names the builds' account", async () => {
  const cloudBuild = await serveCloudBuild();
  const ids: string[] = [];
  for (const dockerfile of ["FROM node", "FROM node\nRUN false", "FROM node"]) {
    const { id } = await cloudBuild.submit(dockerfile, { tags: [`t${ids.length}`] });
    await cloudBuild.finish(id);
    ids.unshift(id);
  }
  const list = async (query: string, path = BUILDS) => (await cloudBuild.request("GET", HOST, `${path}?${query}`)).json;
  const found = async (query: string) => (await list(query))["builds"].map(({ id }: { id: string }) => id);
  expect(await found("")).toEqual(ids);
  expect(await found(`filter=${encodeURIComponent('status="FAILURE"')}`)).toEqual([ids[1]]);
  expect(await found(`filter=${encodeURIComponent('status=SUCCESS AND tags="t0"')}`)).toEqual([ids[2]]);
  const page = await list("pageSize=2");
  expect(await found(`pageSize=2&pageToken=${page["nextPageToken"]}`)).toEqual([ids[2]]);
  expect((await list("", `/v1/projects/${PROJECT}/locations/europe-west1/builds`))["builds"]).toEqual([]);
  expect((await list(`filter=${encodeURIComponent("create_time>1")}`))["error"].message).toContain("doesn't support the filter");
  expect((await cloudBuild.request("GET", HOST, `/v1/projects/${PROJECT}/locations/us-central1/defaultServiceAccount`)).json).toEqual({
    name: `projects/${PROJECT_NUMBER}/locations/us-central1/defaultServiceAccount`,
    serviceAccountEmail: `projects/${PROJECT}/serviceAccounts/${PROJECT_NUMBER}-compute@developer.gserviceaccount.com`,
  });
});

test("a caller who can only view builds can't start one, and an unknown build is 404", async () => {
  const cloudBuild = await serveCloudBuild();
  signIn(cloudBuild.state, `viewer@${PROJECT}.iam.gserviceaccount.com`, "ya29.viewer", "roles/cloudbuild.builds.viewer");
  expect((await cloudBuild.request("POST", HOST, BUILDS, { token: "ya29.viewer", body: {} })).status).toBe(403);
  expect((await cloudBuild.request("GET", HOST, `${BUILDS}/none`, { token: "ya29.viewer" })).status).toBe(404);
});
