import { createServer, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { describeInstance } from "../../../src/emulator/metadata/metadata.ts";
import { openMetadataServer } from "../../../src/emulator/metadata/metadata-server.ts";
import { findAccessToken } from "../../../src/emulator/oauth2/access-tokens.ts";
import { verifyIdToken } from "../../../src/emulator/oauth2/id-tokens.ts";
import { exchangeBytes } from "../../helpers/emulator.ts";
import { NOW, openIdentity } from "../../helpers/identity.ts";
import { listen } from "../../helpers/listen.ts";

const ROOT = "/computeMetadata/v1";
const FLAVOR = { "metadata-flavor": "Google" };

async function openServer({ emulator = "http://127.0.0.1:1" } = {}) {
  let seconds = NOW;
  const { state, signingKeys, caller } = await openIdentity();
  const runtime = { state, signingKeys, now: () => seconds * 1000 };
  const project = state.projects.list()[0]!;
  const metadata = describeInstance(runtime, { project, region: "europe-west1", instanceId: "00c0ffee", serviceAccount: caller.email });
  const server = await openMetadataServer({ metadata, emulator: () => new URL(emulator), log: (line) => expect.fail(line) });
  onTestFinished(() => server.close());
  const get = (path: string, headers: IncomingHttpHeaders = FLAVOR, method = "GET") => ask(server.port, `${ROOT}${path}`, headers, method);
  return { ...runtime, caller, get, port: server.port, pass: (passed: number) => void (seconds += passed) };
}

function ask(port: number, path: string, headers: IncomingHttpHeaders, method = "GET") {
  return new Promise<{ status: number | undefined; headers: IncomingHttpHeaders; text: string }>((resolve, reject) => {
    httpRequest({ host: "127.0.0.1", port, path, headers, method, agent: false }, async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      resolve({ status: response.statusCode, headers: response.headers, text });
    })
      .on("error", reject)
      .end();
  });
}

test.for([
  ["/project/project-id", "demo-project"],
  ["/project/numeric-project-id", "123456789012"],
  ["/instance/id", "00c0ffee"],
  ["/instance/region", "projects/123456789012/regions/europe-west1"],
  ["/instance/zone", "projects/123456789012/zones/europe-west1-1"],
  ["/universe/universe-domain", "googleapis.com"],
  ["/", "instance/\nproject/\nuniverse/\n"],
  ["/instance/service-accounts/", "caller@demo-project.iam.gserviceaccount.com/\ndefault/\n"],
  ["/instance/service-accounts/default/", "aliases\nemail\nidentity\nscopes\ntoken\n"],
  ["/instance/service-accounts/default/email", "caller@demo-project.iam.gserviceaccount.com"],
  ["/instance/service-accounts/caller@demo-project.iam.gserviceaccount.com/aliases", "default\n"],
  ["/instance/service-accounts/default/scopes", "https://www.googleapis.com/auth/cloud-platform\n"],
] as const)("%s is %j", async ([path, text]) => {
  const { get } = await openServer();
  expect(await get(path)).toMatchObject({
    status: 200,
    text,
    headers: { "metadata-flavor": "Google", "content-type": "application/text" },
  });
});

test("a recursive request for a folder returns one JSON document without tokens", async () => {
  const { get, caller } = await openServer();
  const account = { aliases: ["default"], email: caller.email, scopes: ["https://www.googleapis.com/auth/cloud-platform"] };
  const { text, headers } = await get("/instance/?recursive=true");
  expect(headers["content-type"]).toBe("application/json");
  expect(JSON.parse(text)).toEqual({
    id: "00c0ffee",
    region: "projects/123456789012/regions/europe-west1",
    serviceAccounts: { [caller.email]: account, default: account },
    zone: "projects/123456789012/zones/europe-west1-1",
  });
  expect(JSON.parse((await get("/project/?recursive=true")).text)).toEqual({ projectId: "demo-project", numericProjectId: 123456789012 });
});

test("a folder without its trailing slash is redirected", async () => {
  const { get } = await openServer();
  expect(await get("/instance")).toMatchObject({ status: 301, headers: { location: `${ROOT}/instance/` } });
});

test.for([
  ["without the header Metadata-Flavor", "GET", {}, 403],
  ["with another Metadata-Flavor", "GET", { "metadata-flavor": "google" }, 403],
  ["that came through a proxy", "GET", { ...FLAVOR, "x-forwarded-for": "10.0.0.1" }, 403],
  ["to change something", "POST", FLAVOR, 405],
] as const)("a request %s is refused", async ([, method, headers, status]) => {
  const { get } = await openServer();
  const answer = await get("/instance/service-accounts/default/token", headers, method);
  expect(answer.status).toBe(status);
  expect(answer.text).not.toContain("ya29.");
});

test("an unknown path is 404", async () => {
  const { get } = await openServer();
  for (const path of ["/nothing", "/instance/id/", "/instance/%zz", "/instance/service-accounts/other@x/token", "/__proto__/"])
    expect([path, (await get(path)).status]).toEqual([path, 404]);
});

test("the access token is the account's, valid for an hour, and the same until it is about to expire", async () => {
  const { get, state, caller, pass } = await openServer();
  const token = async (query = "") => JSON.parse((await get(`/instance/service-accounts/default/token${query}`)).text);
  const first = await token();
  expect(first).toEqual({ access_token: expect.stringMatching(/^ya29\./), expires_in: 3600, token_type: "Bearer" });
  const scopes = ["https://www.googleapis.com/auth/cloud-platform"];
  expect(findAccessToken(state, first.access_token)).toEqual({ email: caller.email, scopes, expires: NOW + 3600 });
  const narrow = await token("?scopes=https://www.googleapis.com/auth/logging.write");
  expect(findAccessToken(state, narrow.access_token)?.scopes).toEqual(["https://www.googleapis.com/auth/logging.write"]);
  pass(3000);
  expect(await token()).toEqual({ ...first, expires_in: 600 });
  pass(400);
  expect((await token()).access_token).not.toBe(first.access_token);
});

test("the identity token is the account's, for the audience, with its email address in the full format", async () => {
  const runtime = await openServer();
  const { get, caller } = runtime;
  const claims = async (query: string) => {
    const { text } = await get(`/instance/service-accounts/default/identity?audience=https://a.run.app${query}`);
    return (await verifyIdToken(runtime, text))?.claims;
  };
  const plain = {
    aud: "https://a.run.app",
    azp: caller.uniqueId,
    exp: NOW + 3600,
    iat: NOW,
    iss: "https://accounts.google.com",
    sub: caller.uniqueId,
  };
  expect(await claims("")).toEqual(plain);
  expect(await claims("&format=full")).toEqual({ ...plain, email: caller.email, email_verified: true });
  expect(await get("/instance/service-accounts/default/identity")).toMatchObject({
    status: 400,
    text: "non-empty audience parameter required",
  });
});

test("a disabled or deleted account gets no token", async () => {
  const { get, state, caller } = await openServer();
  const statuses = () =>
    Promise.all(["token", "identity?audience=a"].map(async (what) => (await get(`/instance/service-accounts/default/${what}`)).status));
  expect(await statuses()).toEqual([200, 200]);
  state.serviceAccounts.set(caller.email, { ...caller, disabled: true });
  expect(await statuses()).toEqual([403, 403]);
  state.serviceAccounts.delete(caller.email);
  expect(await statuses()).toEqual([404, 404]);
});

test("a client that uses the proxy reaches the metadata server by its names, and all other hosts through the emulator", async () => {
  const heard: (string | undefined)[] = [];
  const emulator = createServer((request, response) => {
    heard.push(request.url);
    response.end("from the emulator");
  });
  emulator.on("connect", (request, socket) => {
    heard.push(request.url);
    socket.end("HTTP/1.1 200 OK\r\n\r\n");
  });
  const { port } = await openServer({ emulator: `http://127.0.0.1:${await listen(emulator)}` });
  for (const name of ["metadata.google.internal", "metadata.google.internal.", "metadata", "169.254.169.254"])
    expect((await ask(port, `http://${name}${ROOT}/project/project-id`, FLAVOR)).text).toBe("demo-project");
  expect((await ask(port, "http://example.com/x?y", {})).text).toBe("from the emulator");
  expect(await exchangeBytes(port, "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n")).toContain("200 OK");
  expect(heard).toEqual(["http://example.com/x?y", "example.com:443"]);
});
