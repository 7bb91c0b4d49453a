import { execa } from "execa";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { nodeProgramEnvironment } from "../../src/emulator/index.ts";
import { HELLO, startEmulator, tinyService } from "../helpers/emulator.ts";
import { GO_PATH, testNeeding } from "../helpers/requirements.ts";
import { listen } from "../helpers/listen.ts";
import { openWorkplace } from "../helpers/workplace.ts";

const emulator = await startEmulator(afterAll);
const { project } = emulator;
const { folder, env } = openWorkplace(nodeProgramEnvironment(emulator.status(), {}));
const { url } = await emulator.deploy("hello", tinyService(HELLO));
const OTHER = "https://other-abc123-uc.a.run.app";

const require = createRequire(import.meta.url);
// The programs run in their own folder, which has no packages.
const AUTH_LIBRARY = JSON.stringify(require.resolve("google-auth-library"));
const RUN_LIBRARY = JSON.stringify(require.resolve("@google-cloud/run"));

/** Runs a program as `emulator exec` does, and returns its output, which is JSON. */
async function run(program: string, args: readonly string[], extra: Readonly<Record<string, string | undefined>> = {}) {
  const given = { ...env, SERVICE: url, OTHER, ...extra };
  const { stdout, stderr } = await execa(program, args, { env: given, extendEnv: false, stdin: "ignore", cwd: folder });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as unknown;
}

/** The results of a client before and after the account of CREDS gets access to the service. */
async function aroundTheGrant(find: () => Promise<unknown>): Promise<unknown[]> {
  await emulator.grant("hello", `serviceAccount:operator@${project}.iam.gserviceaccount.com`);
  const before = await find();
  await emulator.grant("hello", `serviceAccount:${env["SERVICE_ACCOUNT_EMAIL"]}`);
  return [before, await find()];
}

const REFUSED_THEN_GRANTED = [
  { none: 403, wrong: 401, right: 403 },
  { none: 403, wrong: 401, right: 200 },
];

const PYTHON = `
import json, os
import requests
from google.auth.transport.requests import AuthorizedSession
from google.oauth2 import service_account

def call(audience):
    credentials = service_account.IDTokenCredentials.from_service_account_file(os.environ["CREDS"], target_audience=audience)
    return AuthorizedSession(credentials).get(os.environ["SERVICE"]).status_code

print(json.dumps({
    "none": requests.get(os.environ["SERVICE"]).status_code,
    "wrong": call(os.environ["OTHER"]),
    "right": call(os.environ["SERVICE"]),
}))
`;

testNeeding("google-auth", "google-auth for Python gets 403 before the grant and 200 after it", async ([python = ""]) => {
  expect(await aroundTheGrant(() => run(python, ["-c", PYTHON]))).toEqual(REFUSED_THEN_GRANTED);
});

const NODE = `
import { gaxios, GoogleAuth } from ${AUTH_LIBRARY};
const { CREDS, SERVICE, OTHER } = process.env;
const request = { url: SERVICE, validateStatus: () => true };
async function call(audience) {
  const client = await new GoogleAuth({ keyFile: CREDS }).getIdTokenClient(audience);
  return (await client.request(request)).status;
}
const none = (await new gaxios.Gaxios().request(request)).status;
console.log(JSON.stringify({ none, wrong: await call(OTHER), right: await call(SERVICE) }));
`;

test("google-auth-library for Node gets 403 before the grant and 200 after it", async () => {
  const find = () => run(process.execPath, ["--input-type=module", "-e", NODE]);
  expect(await aroundTheGrant(find)).toEqual(REFUSED_THEN_GRANTED);
});

testNeeding("curl", "curl gets 403 before the grant and 200 after it", async ([curl = ""]) => {
  const call = async (idToken?: string) => {
    const input = idToken === undefined ? "" : `header = "Authorization: Bearer ${idToken}"`;
    const args = ["--config", "-", "--silent", "--show-error", "--output", join(folder, "answer"), "--write-out", "%{http_code}", url];
    return Number((await execa(curl, args, { env, extendEnv: false, input })).stdout);
  };
  const find = async () => ({
    none: await call(),
    wrong: await call(await emulator.idToken(OTHER)),
    right: await call(await emulator.idToken(url)),
  });
  expect(await aroundTheGrant(find)).toEqual(REFUSED_THEN_GRANTED);
});

const GO = `package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"

	"golang.org/x/oauth2/google"
)

func status(client *http.Client) int {
	answer, err := client.Get(os.Getenv("SERVICE"))
	if err != nil {
		panic(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

func call(key []byte, audience string) int {
	config, err := google.JWTConfigFromJSON(key)
	if err != nil {
		panic(err)
	}
	config.PrivateClaims = map[string]interface{}{"target_audience": audience}
	config.UseIDToken = true
	return status(config.Client(context.Background()))
}

func main() {
	key, err := os.ReadFile(os.Getenv("CREDS"))
	if err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]int{
		"none":  status(http.DefaultClient),
		"wrong": call(key, os.Getenv("OTHER")),
		"right": call(key, os.Getenv("SERVICE")),
	})
}
`;

testNeeding(
  "go",
  "golang.org/x/oauth2/google gets 403 before the grant and 200 after it",
  async ([go = ""]) => {
    mkdirSync(join(folder, "go"));
    const [source, program] = [join(folder, "go", "main.go"), join(folder, "go", "client")];
    writeFileSync(source, GO);
    await execa(go, ["build", "-o", program, source], {
      env: { GO111MODULE: "off", GOPATH: GO_PATH, GOFLAGS: "", CGO_ENABLED: "0" },
      stdin: "ignore",
    });
    expect(await aroundTheGrant(() => run(program, []))).toEqual(REFUSED_THEN_GRANTED);
  },
  180_000,
);

// Its REST transport has its own agent, which ignores the proxy of the environment.
const CLOUD_RUN = `
import run from ${RUN_LIBRARY};
const services = new run.v2.ServicesClient({ fallback: "rest" });
const { PROJECT_ID, IMAGE } = process.env;
const parent = "projects/" + PROJECT_ID + "/locations/us-central1";
const service = { template: { containers: [{ image: IMAGE }] } };
const asks = {
  create: async () => {
    const [operation] = await services.createService({ parent, serviceId: "by-client", service });
    const [{ name }] = await operation.promise();
    return name;
  },
  get: async () => (await services.getService({ name: parent + "/services/by-client" }))[0].terminalCondition.state,
  list: async () => (await services.listServices({ parent }))[0].map(({ name }) => name),
};
const found = {};
for (const [name, ask] of Object.entries(asks)) {
  found[name] = await ask().catch(({ message }) => {
    const { status, details } = JSON.parse(message).error;
    return status + " " + details[0].metadata.permission;
  });
}
console.log(JSON.stringify(found));
`;

test("@google-cloud/run over REST creates, reads and lists services, and names the permission that a caller lacks", async () => {
  const extra = { IMAGE: `gcr.io/${project}/hello` };
  const ask = (keyFile: string) =>
    run(process.execPath, ["--input-type=module", "-e", CLOUD_RUN], { ...extra, GOOGLE_APPLICATION_CREDENTIALS: env[keyFile] });
  const services = `projects/${project}/locations/us-central1/services`;
  expect(await ask("CREDS")).toEqual({
    create: "PERMISSION_DENIED run.services.create",
    get: "PERMISSION_DENIED run.services.get",
    list: "PERMISSION_DENIED run.services.list",
  });
  expect(await ask("GOOGLE_APPLICATION_CREDENTIALS")).toEqual({
    create: `${services}/by-client`,
    get: "CONDITION_SUCCEEDED",
    list: [`${services}/by-client`, `${services}/hello`],
  });
});

const NODE_ALONE = `
import { connect } from "node:http2";
import { get } from "node:https";
import http from "node:http";
const { SERVICE } = process.env;
const ways = {
  fetch: async () => (await fetch(SERVICE)).status,
  https: () => new Promise((done, fail) => get(SERVICE, { agent: false }, (answer) => done(answer.resume().statusCode)).on("error", fail)),
  http: () => new Promise((done, fail) => http.get(SERVICE.replace("https", "http"), (answer) => done(answer.resume().statusCode)).on("error", fail)),
  http2: () =>
    new Promise((done, fail) => {
      const session = connect(SERVICE).on("error", fail);
      session.request({ ":path": "/" }).on("response", (headers) => (done(headers[":status"]), session.close())).resume().end();
    }),
};
const found = {};
for (const [name, way] of Object.entries(ways)) found[name] = await way();
console.log(JSON.stringify(found));
`;

test("Node's own clients reach the emulator, even those that use no proxy, and don't notice", async () => {
  expect(await run(process.execPath, ["--input-type=module", "-e", NODE_ALONE])).toEqual({ fetch: 403, https: 403, http: 403, http2: 403 });
});

test("existing NODE_OPTIONS stay, and other hosts are reached as usual", async () => {
  const { NODE_OPTIONS = "" } = nodeProgramEnvironment(emulator.status(), { NODE_OPTIONS: "--title=mine" });
  expect(nodeProgramEnvironment(emulator.status(), { NODE_OPTIONS: NODE_OPTIONS ?? "" })).toMatchObject({ NODE_OPTIONS });
  const own = await listen(createServer((_, response) => response.end("own")));
  const program = `console.log(JSON.stringify([process.title, await (await fetch("http://127.0.0.1:${own}")).text()]))`;
  expect(await run(process.execPath, ["--input-type=module", "-e", program], { NODE_OPTIONS: NODE_OPTIONS ?? "" })).toEqual([
    "mine",
    "own",
  ]);
});
