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

afterEach(() => stop());

/** Ends the server, after which the log of all that was asked for is complete. */
async function stop() {
  if (!server.listening) return;
  server.close();
  await once(server, "close");
}

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

test("GET / answers the greeting", async () => {
  const response = await get("/");
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { message: "Hello World from authenticated Cloud Run!" });
});

test("GET /whoami answers the caller's e-mail address", async () => {
  const authorization = bearer({ email: "ada@example.com" });
  assert.equal(await whoami({ authorization }), "ada@example.com");
  assert.equal(await whoami({ authorization: authorization.replace("Bearer", "bearer") }), "ada@example.com");
});

test("X-Serverless-Authorization is the one that Cloud Run has checked", async () => {
  const headers = {
    authorization: bearer({ email: "forged@example.com" }),
    "x-serverless-authorization": bearer({ email: "ada@example.com" }),
  };
  assert.equal(await whoami(headers), "ada@example.com");
});

test("GET /whoami answers null where no e-mail address can be read", async () => {
  const odd = ["", "Bearer", "Basic YTpi", "Bearer a.b", "Bearer a.!.c", bearer(null), bearer({}), bearer({ email: 1 })];
  assert.equal(await whoami({}), null);
  for (const authorization of odd) assert.equal(await whoami({ authorization }), null, authorization);
});

test("an unknown path answers 404 in JSON", async () => {
  const response = await get("/nowhere");
  assert.equal(response.status, 404);
  assert.deepEqual(await response.json(), { error: "Not Found" });
});

test("each request is logged in one line, without its token and its query", async () => {
  const authorization = bearer({ email: "ada@example.com" });
  await get("/whoami?secret=1", { authorization, "user-agent": "test" });
  await stop();
  const { httpRequest, ...rest } = lines[0];
  assert.equal(lines.length, 1);
  assert.match(httpRequest.latency, /^\d+\.\d{3}s$/);
  delete httpRequest.latency;
  assert.deepEqual(rest, { severity: "INFO", message: "GET /whoami 200" });
  assert.deepEqual(httpRequest, { requestMethod: "GET", requestUrl: "/whoami", status: 200, userAgent: "test" });
});

test("an unexpected error answers 500 and is logged with its stack", async () => {
  routes.get("/broken", () => {
    throw new Error("out of order");
  });
  const response = await get("/broken");
  assert.equal(response.status, 500);
  assert.deepEqual(await response.json(), { error: "Internal Server Error" });
  await stop();
  assert.match(lines[0].message, /^Error: out of order\n +at /);
  assert.deepEqual(lines.map((line) => line.severity), ["ERROR", "ERROR"]);
});
