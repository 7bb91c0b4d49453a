import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { createApp } from "./app.js";

let app;
let lines;

beforeEach(() => {
  lines = [];
  app = createApp((line) => lines.push(JSON.parse(line)));
});

function bearer(claims) {
  const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
  return `Bearer e30.${payload}.SIGNATURE_REMOVED_BY_GOOGLE`;
}

async function whoami(headers) {
  const response = await app.request("/whoami", { headers });
  assert.equal(response.status, 200);
  return (await response.json()).email;
}

test("GET / returns the greeting", async () => {
  const response = await app.request("/");
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
  const response = await app.request("/unknown");
  assert.equal(response.status, 404);
  assert.deepEqual(await response.json(), { error: "Not Found" });
});

test("an unexpected error returns 500, and its stack is logged", async () => {
  app.get("/broken", () => {
    throw new Error("out of order");
  });
  const response = await app.request("/broken");
  assert.equal(response.status, 500);
  assert.deepEqual(await response.json(), { error: "Internal Server Error" });
  assert.deepEqual(lines.map((line) => line.severity), ["ERROR"]);
  assert.match(lines[0].message, /^Error: out of order\n +at /);
});
