import { expect, onTestFinished, test } from "vitest";
import { createRunBuildsApi } from "../../../src/emulator/apis/run-builds.ts";
import { createBuilds } from "../../../src/emulator/builds/builds.ts";
import { openTestState, PROJECT, PROJECT_NUMBER, serveApis } from "../../helpers/api-server.ts";
import { createCopyEngine } from "../../helpers/copy-engine.ts";

const HOST = "us-central1-run.googleapis.com";
const SUBMIT = `/v2/projects/${PROJECT}/locations/us-central1/builds:submit`;

async function serve() {
  const state = openTestState();
  const builds = createBuilds({ state, engine: createCopyEngine(), now: Date.now, log: (line) => expect.unreachable(line) });
  onTestFinished(() => builds.close());
  return serveApis([createRunBuildsApi({ builds })], state);
}

test("a source with a Dockerfile becomes a build in the region", async () => {
  const { request } = await serve();
  const imageUri = `us-central1-docker.pkg.dev/${PROJECT}/cloud-run-source-deploy/hello`;
  const { json } = await request("POST", HOST, SUBMIT, {
    body: { storageSource: { bucket: "b", object: "o.zip", generation: "1" }, imageUri, dockerBuild: {} },
  });
  const { build } = json["buildOperation"].metadata;
  expect(build).toMatchObject({
    name: `projects/${PROJECT_NUMBER}/locations/us-central1/builds/${build.id}`,
    status: "QUEUED",
    images: [imageUri],
  });
});

test("a source without a Dockerfile becomes a build by pack", async () => {
  const { request } = await serve();
  const imageUri = `us-central1-docker.pkg.dev/${PROJECT}/cloud-run-source-deploy/hello`;
  const buildpackBuild = { environmentVariables: { GREETING: "$5" }, runtime: "python313", baseImage: "default" };
  const { json } = await request("POST", HOST, SUBMIT, {
    body: { storageSource: { bucket: "b", object: "o.zip" }, imageUri, buildpackBuild },
  });
  const args = ["build", imageUri, "--builder", "gcr.io/buildpacks/builder:latest", "--network", "cloudbuild"];
  expect(json["buildOperation"].metadata.build.steps).toMatchObject([
    { name: "gcr.io/k8s-skaffold/pack", args: [...args, "--env", "GREETING=$5", "--env", "GOOGLE_RUNTIME=python313"] },
  ]);
});

test.for<[string, object]>([
  ["neither a Dockerfile nor buildpacks", {}],
  ["both", { dockerBuild: {}, buildpackBuild: {} }],
])("a build of %s is refused", async ([, how]) => {
  const { request } = await serve();
  const { status } = await request("POST", HOST, SUBMIT, { body: { storageSource: {}, imageUri: "gcr.io/p/n", ...how } });
  expect(status).toBe(400);
});
