import { expect, test } from "vitest";
import { createArtifactRegistryApi } from "../../../src/emulator/apis/artifactregistry.ts";
import { openTestState, PROJECT, serveApis, type ApiServer } from "../../helpers/api-server.ts";

const HOST = "artifactregistry.googleapis.com";
const LOCATION = `/v1/projects/${PROJECT}/locations/us-central1`;
const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

async function serve() {
  const state = openTestState();
  return { ...(await serveApis([createArtifactRegistryApi({ state, now: Date.now })], state)), state };
}

function create(request: ApiServer["request"], id = "repo", body: object = { format: "DOCKER", description: "Mine" }) {
  return request("POST", HOST, `${LOCATION}/repositories?repositoryId=${id}`, { body });
}

test("a repository is created once, returned, listed, and deleted with its tags", async () => {
  const { request, state } = await serve();
  const name = `projects/${PROJECT}/locations/us-central1/repositories/repo`;
  expect((await request("GET", HOST, `/v1/${name}`)).json["error"]).toMatchObject({ code: 404, status: "NOT_FOUND" });
  const operation = (await create(request)).json;
  expect(operation).toMatchObject({
    done: true,
    response: { name, format: "DOCKER", registryUri: `us-central1-docker.pkg.dev/${PROJECT}/repo` },
  });
  expect((await request("GET", HOST, `/v1/${operation["name"]}`)).json).toEqual(operation);
  expect((await request("GET", HOST, `/v1/${name}`)).json).toMatchObject({ name, description: "Mine", mode: "STANDARD_REPOSITORY" });
  expect((await request("GET", HOST, `${LOCATION}/repositories`)).json["repositories"]).toHaveLength(1);
  expect((await request("GET", HOST, `/v1/projects/${PROJECT}/locations/europe-west1/repositories`)).json["repositories"]).toEqual([]);
  expect((await create(request)).json["error"]).toMatchObject({
    code: 409,
    status: "ALREADY_EXISTS",
    message: "the repository already exists",
  });

  const reference = `us-central1-docker.pkg.dev/${PROJECT}/repo/app:v1`;
  state.tags.set(reference, { reference, digest: DIGEST });
  expect((await request("DELETE", HOST, `/v1/${name}`)).json["done"]).toBe(true);
  expect((await request("GET", HOST, `/v1/${name}`)).status).toBe(404);
  expect(state.tags.list()).toEqual([]);
});

test.for<[string, string, object, number]>([
  ["a name in capitals", "Repo", { format: "DOCKER" }, 400],
  ["no name", "", { format: "DOCKER" }, 400],
  ["another format", "repo", { format: "NPM" }, 400],
  ["no format", "repo", {}, 400],
])("a repository with %s is refused", async ([, id, body, status]) => {
  const { request, state } = await serve();
  expect((await create(request, id, body)).status).toBe(status);
  expect(state.repositories.list()).toEqual([]);
});

test("the images of a repository are shown with all of their tags", async () => {
  const { request, state } = await serve();
  await create(request);
  const config = { Env: [], Entrypoint: [], Cmd: [], WorkingDir: "/", User: "" };
  state.images.set(DIGEST, { digest: DIGEST, engine: "process", config, createTime: "2026-01-02T00:00:00Z" });
  const registry = `us-central1-docker.pkg.dev/${PROJECT}/repo`;
  for (const reference of [
    `${registry}/a/app:latest`,
    `${registry}/a/app:v1`,
    `${registry}/b:latest`,
    `us-central1-docker.pkg.dev/${PROJECT}/repo2/c:latest`,
  ]) {
    state.tags.set(reference, { reference, digest: DIGEST });
  }
  const images = `${LOCATION}/repositories/repo/dockerImages`;
  const { dockerImages } = (await request("GET", HOST, images)).json;
  expect(dockerImages.map(({ uri, tags }: { uri: string; tags: string[] }) => [uri, tags])).toEqual([
    [`${registry}/a/app@${DIGEST}`, ["latest", "v1"]],
    [`${registry}/b@${DIGEST}`, ["latest"]],
  ]);
  expect(dockerImages[0]).toMatchObject({ name: `${images.slice(4)}/a%2Fapp@${DIGEST}`, uploadTime: "2026-01-02T00:00:00Z" });
  expect((await request("GET", HOST, `/v1/${dockerImages[0].name}`)).json).toEqual(dockerImages[0]);
  expect((await request("GET", HOST, `${images}/none@${DIGEST}`)).status).toBe(404);
  expect((await request("GET", HOST, `${images.replace("repo/", "none/")}`)).status).toBe(404);
});

test("the locations are Cloud Run's regions and the multi-regions", async () => {
  const { request } = await serve();
  const { locations } = (await request("GET", HOST, `/v1/projects/${PROJECT}/locations`)).json;
  expect(locations.map(({ locationId }: { locationId: string }) => locationId)).toEqual(
    expect.arrayContaining(["us-central1", "europe-west1", "us"]),
  );
  expect((await request("GET", HOST, LOCATION)).json).toMatchObject({ locationId: "us-central1" });
  expect((await request("GET", HOST, "/v1/projects/demo-project/locations/mars")).status).toBe(404);
});

test("a repository keeps its labels, and an image is deleted with its tags", async () => {
  const { request, state } = await serve();
  const created = await create(request, "repo", { format: "DOCKER", labels: { team: "apps" } });
  expect(created.json["response"].labels).toEqual({ team: "apps" });
  const registry = `us-central1-docker.pkg.dev/${PROJECT}/repo`;
  const other = DIGEST.replace("0123", "3210");
  for (const [tag, digest] of [
    ["a/app:v1", DIGEST],
    ["a/app:v2", DIGEST],
    ["a/app:v3", other],
  ] as const)
    state.tags.set(`${registry}/${tag}`, { reference: `${registry}/${tag}`, digest });
  const image = `${LOCATION}/repositories/repo/packages/a%2Fapp`;
  const version = `${image.slice(4)}/versions/${DIGEST}`;
  const filter = encodeURIComponent(`version="${version}"`);
  const { tags } = (await request("GET", HOST, `${image}/tags?filter=${filter}`)).json;
  expect(tags).toEqual(["v1", "v2"].map((tag) => ({ name: `${image.slice(4)}/tags/${tag}`, version })));
  expect((await request("GET", HOST, `/v1/${version}`)).json).toMatchObject({ name: version });
  expect((await request("DELETE", HOST, `/v1/${version}`)).json["error"]).toMatchObject({ status: "FAILED_PRECONDITION" });
  expect((await request("DELETE", HOST, `${image}/tags/v1`)).status).toBe(200);
  expect((await request("DELETE", HOST, `${image}/tags/v1`)).status).toBe(404);
  expect((await request("DELETE", HOST, `/v1/${version}?force=true`)).json["done"]).toBe(true);
  expect((await request("GET", HOST, `/v1/${version}`)).status).toBe(404);
  expect(state.tags.list().map(({ reference }) => reference)).toEqual([`${registry}/a/app:v3`]);
});
