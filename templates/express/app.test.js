import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { afterEach, beforeEach, test } from "node:test";
import { createApp, routes } from "./app.js";

let server;
let lines;

beforeEach(async () => {
  lines = [];
  server = createServer(createApp((line) => lines.push(JSON.parse(line)))).listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(() => server.close());

function get(path, headers = {}) {
  return fetch(`http://127.0.0.1:${server.address().port}${path}`, { headers: { connection: "close", ...headers } });
}

function bearer(claims) {
  const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
  return `Bearer e30.${payload}.SIGNATURE_REMOVED_BY_GOOGLE`;
}

async function whoami(headers) {
  const response = await get("/whoami", headers);
  assert.equal(response.status, 200);
  return (await response.json()).email;
}

test("GET / returns the greeting", async () => {
  const response = await get("/");
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { message: "Hello World from authenticated Cloud Run!" });
});

test("GET /whoami returns the caller's email address", async () => {
  const authorization = bearer({ email: "ada@example.com" });
  assert.equal(await whoami({ authorization }), "ada@example.com");
  assert.equal(await whoami({ authorization: authorization.replace("Bearer", "bearer") }), "ada@example.com");
});

test("X-Serverless-Authorization takes precedence over Authorization", async () => {
  const headers = {
    authorization: bearer({ email: "forged@example.com" }),
    "x-serverless-authorization": bearer({ email: "ada@example.com" }),
  };
  assert.equal(await whoami(headers), "ada@example.com");
});

test("GET /whoami returns null without an email address", async () => {
  const invalid = ["", "Bearer", "Basic YTpi", "Bearer a.b", "Bearer a.!.c", bearer(null), bearer({}), bearer({ email: 1 })];
  assert.equal(await whoami({}), null);
  for (const authorization of invalid) assert.equal(await whoami({ authorization }), null, authorization);
});

test("an unknown path returns 404 as JSON", async () => {
  const response = await get("/unknown");
  assert.equal(response.status, 404);
  assert.deepEqual(await response.json(), { error: "Not Found" });
});

test("an unexpected error returns 500, and its stack is logged", async () => {
  routes.get("/broken", () => {
    throw new Error("out of order");
  });
  const response = await get("/broken");
  assert.equal(response.status, 500);
  assert.deepEqual(await response.json(), { error: "Internal Server Error" });
  assert.deepEqual(lines.map((line) => line.severity), ["ERROR"]);
  assert.match(lines[0].message, /^Error: out of order\n +at /);
});
