import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createSecretManagerApi } from "../../../src/emulator/apis/secretmanager.ts";
import { crc32c } from "../../../src/emulator/storage/crc32c.ts";
import { openTestState, PROJECT, PROJECT_NUMBER, serveApis, signIn, temporaryDirectory } from "../../helpers/api-server.ts";

const HOST = "secretmanager.googleapis.com";
const SECRETS = `/v1/projects/${PROJECT}/secrets`;
const NAME = `projects/${PROJECT_NUMBER}/secrets/api-key`;

async function serve(directory = temporaryDirectory()) {
  const state = openTestState(directory);
  const { request } = await serveApis([createSecretManagerApi({ state, now: Date.now })], state);
  const send = async (method: string, path: string, body?: object, token?: string) => {
    const { status, json } = await request(method, HOST, path, { ...(body && { body }), ...(token && { token }) });
    return { status, json };
  };
  const add = (text: string) => send("POST", `${SECRETS}/api-key:addVersion`, { payload: payloadOf(text) });
  const create = () => send("POST", `${SECRETS}?secretId=api-key`, { replication: { automatic: {} }, labels: { team: "a" } });
  return { state, directory, send, add, create };
}

function payloadOf(text: string) {
  return { data: Buffer.from(text).toString("base64"), dataCrc32c: String(crc32c(Buffer.from(text))) };
}

test("a secret is created, listed, labeled and deleted with its versions", async () => {
  const { send, create, add, state, directory } = await serve();
  const secret = {
    name: NAME,
    replication: { automatic: {} },
    labels: { team: "a" },
    createTime: expect.any(String),
    etag: expect.any(String),
  };
  expect(await create()).toEqual({ status: 200, json: secret });
  expect((await create()).json["error"]).toMatchObject({ code: 409, message: `Secret [${NAME}] already exists.` });
  expect((await send("GET", `/v1/projects/${PROJECT_NUMBER}/secrets`)).json).toEqual({ secrets: [secret], totalSize: 1 });
  const labels = { team: "b" };
  expect((await send("PATCH", `${SECRETS}/api-key?updateMask=labels`, { labels })).json).toMatchObject({ name: NAME, labels });
  expect((await send("PATCH", `${SECRETS}/api-key?updateMask=rotation`, {})).status).toBe(400);

  await add("s3cret");
  expect(await send("DELETE", `${SECRETS}/api-key`)).toEqual({ status: 200, json: {} });
  expect((await send("GET", `${SECRETS}/api-key`)).json["error"]).toMatchObject({ code: 404, message: `Secret [${NAME}] not found.` });
  expect(state.secretVersions.list()).toEqual([]);
  expect(readdirSync(join(directory, "keys", "secrets"))).toEqual([]);
});

test.for([
  ["without a replication", "?secretId=x", {}],
  ["without an id", "", { replication: { automatic: {} } }],
  ["with an invalid id", "?secretId=a%2Fb", { replication: { automatic: {} } }],
] as const)("a secret %s is refused", async ([, query, body]) => {
  const { send } = await serve();
  expect((await send("POST", `${SECRETS}${query}`, body)).json["error"]).toMatchObject({ code: 400, status: "INVALID_ARGUMENT" });
});

test("version numbers increase, and latest is the most recent one", async () => {
  const { send, create, add } = await serve();
  await create();
  expect((await send("GET", `${SECRETS}/api-key/versions/latest:access`)).json["error"].message).toBe(
    `Secret [${NAME}] not found or has no versions.`,
  );
  for (let number = 1; number <= 11; number += 1) expect((await add(`value ${number}`)).json["name"]).toBe(`${NAME}/versions/${number}`);
  const accessed = (await send("GET", `${SECRETS}/api-key/versions/latest:access`)).json;
  expect(accessed).toEqual({ name: `${NAME}/versions/11`, payload: payloadOf("value 11") });
  expect((await send("GET", `${SECRETS}/api-key/versions/2:access`)).json["payload"]).toEqual(payloadOf("value 2"));
  const { versions } = (await send("GET", `${SECRETS}/api-key/versions`)).json;
  expect(versions.map(({ name }: { name: string }) => name.split("/").at(-1)).slice(0, 3)).toEqual(["11", "10", "9"]);
  expect(Object.keys(versions[0]).sort()).toEqual([
    "clientSpecifiedPayloadChecksum",
    "createTime",
    "etag",
    "name",
    "replicationStatus",
    "state",
  ]);
  for (const id of ["12", "0", "x", "02"]) expect((await send("GET", `${SECRETS}/api-key/versions/${id}`)).status).toBe(404);
});

test("a disabled or destroyed version can't be accessed, and a destroyed one can't be restored", async () => {
  const { send, create, add, directory } = await serve();
  await create();
  await add("s3cret");
  const version = `${SECRETS}/api-key/versions/1`;
  const refusal = async () => (await send("GET", `${version}:access`)).json["error"];
  expect((await send("POST", `${version}:disable`, {})).json["state"]).toBe("DISABLED");
  expect(await refusal()).toMatchObject({ code: 400, message: `Secret Version [${NAME}/versions/1] is in DISABLED state.` });
  expect((await send("POST", `${version}:enable`, { etag: '"other"' })).status).toBe(400);
  expect((await send("POST", `${version}:enable`, {})).json["state"]).toBe("ENABLED");
  expect((await send("GET", `${version}:access`)).status).toBe(200);
  expect((await send("POST", `${version}:destroy`, {})).json).toMatchObject({ state: "DESTROYED", destroyTime: expect.any(String) });
  expect(await refusal()).toMatchObject({ message: `Secret Version [${NAME}/versions/1] is in DESTROYED state.` });
  expect((await send("POST", `${version}:enable`, {})).status).toBe(400);
  expect(readdirSync(join(directory, "keys", "secrets"))).toEqual([]);
});

test("payloads that are too large, damaged, or not base64 are refused", async () => {
  const { send, create } = await serve();
  await create();
  const add = async (payload: object) => (await send("POST", `${SECRETS}/api-key:addVersion`, { payload })).status;
  expect(await add({ data: Buffer.alloc(65_536).toString("base64") })).toBe(200);
  expect(await add({ data: Buffer.alloc(65_537).toString("base64") })).toBe(400);
  expect(await add({ ...payloadOf("a"), dataCrc32c: "1" })).toBe(400);
  expect(await add({ data: "§" })).toBe(400);
});

test("a secret's bytes are in a file for its owner only, never in the journal, and orphaned files are removed", async () => {
  const { create, add, state, directory } = await serve();
  await create();
  await add("s3cret-bytes");
  const folder = join(directory, "keys", "secrets");
  const [file = ""] = readdirSync(folder);
  expect(readFileSync(join(folder, file), "utf8")).toBe("s3cret-bytes");
  expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  const journal = readFileSync(join(directory, "state.jsonl"), "utf8");
  expect(journal).not.toContain("s3cret-bytes");
  expect(journal).not.toContain(Buffer.from("s3cret-bytes").toString("base64"));
  createSecretManagerApi({ state, now: Date.now });
  expect(readdirSync(folder)).toEqual([file]);
  state.secretVersions.delete(`${PROJECT}/api-key/000000001`);
  createSecretManagerApi({ state, now: Date.now });
  expect(readdirSync(folder)).toEqual([]);
});

test("a secret's policy decides who can read it, and editors can't", async () => {
  const { send, create, add, state } = await serve();
  await create();
  await add("s3cret");
  signIn(state, `editor@${PROJECT}.iam.gserviceaccount.com`, "ya29.editor", "roles/editor");
  signIn(state, `reader@${PROJECT}.iam.gserviceaccount.com`, "ya29.reader");
  const access = async (token: string) => (await send("GET", `${SECRETS}/api-key/versions/1:access`, undefined, token)).status;
  expect([await access("ya29.editor"), await access("ya29.reader")]).toEqual([403, 403]);
  const role = "roles/secretmanager.secretAccessor";
  const bindings = [{ role, members: [`serviceAccount:reader@${PROJECT}.iam.gserviceaccount.com`] }];
  expect((await send("POST", `${SECRETS}/api-key:setIamPolicy`, { policy: { bindings } })).status).toBe(200);
  expect((await send("GET", `${SECRETS}/api-key:getIamPolicy`)).json["bindings"]).toEqual(bindings);
  expect([await access("ya29.editor"), await access("ya29.reader")]).toEqual([403, 200]);
  const permissions = ["secretmanager.versions.access", "secretmanager.versions.add"];
  expect((await send("POST", `${SECRETS}/api-key:testIamPermissions`, { permissions }, "ya29.reader")).json).toEqual({
    permissions: ["secretmanager.versions.access"],
  });
  expect((await send("GET", SECRETS, undefined, "ya29.reader")).status).toBe(403);
});
