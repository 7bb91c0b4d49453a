import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { HELLO, startEmulator, tinyService, type Files } from "../helpers/emulator.ts";
import { GO_PATH, requires, testNeeding } from "../helpers/requirements.ts";

const python = requires("google-auth");
const emulator = await startEmulator(afterAll, {
  env: { ...process.env, ...(python.available && { CLOUDRUN_OAUTH_PYTHON: python.path }) },
});
const { port, project } = emulator;
const SERVICES = `/apis/serving.knative.dev/v1/namespaces/${project}/services`;
const RUN = "us-central1-run.googleapis.com";
let target: { url: string; host: string };

beforeAll(async () => {
  target = await emulator.deploy("target", tinyService(HELLO));
});

/** Creates a service account, deploys a public service that runs as it, and returns the JSON that it answers. */
async function deployCaller(name: string, files: Files) {
  const email = `${name}@${project}.iam.gserviceaccount.com`;
  await emulator.request("POST", "iam.googleapis.com", `/v1/projects/${project}/serviceAccounts`, { body: { accountId: name } });
  const image = `gcr.io/${project}/${name}`;
  const build = await emulator.build(image, files);
  expect(build).toMatchObject({ status: "SUCCESS" });
  const template = { spec: { serviceAccountName: email, containers: [{ image, env: [{ name: "TARGET", value: target.url }] }] } };
  const body = { apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name, namespace: project }, spec: { template } };
  expect(await emulator.request("POST", RUN, SERVICES, { body })).toMatchObject({ status: 200 });
  const ready = async () => {
    const { status } = (await emulator.request("GET", RUN, `${SERVICES}/${name}`)).json;
    return status;
  };
  await expect
    .poll(async () => (await ready()).conditions.find(({ type }: { type: string }) => type === "Ready"), { timeout: 30_000 })
    .toMatchObject({ status: "True" });
  await emulator.grant(name, "allUsers");
  const { host } = new URL((await ready()).url);
  return { email, call: async () => JSON.parse(await get(host)) as unknown };
}

function get(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    httpRequest({ port, host: "127.0.0.1", path: "/", headers: { host }, agent: false }, async (response) => {
      resolve(Buffer.concat(await response.toArray()).toString());
    })
      .on("error", reject)
      .end();
  });
}

/** The results of a caller before and after it gets access to the target. */
async function aroundTheGrant({ email, call }: Awaited<ReturnType<typeof deployCaller>>) {
  const before = await call();
  await emulator.grant("target", `serviceAccount:${email}`);
  return [before, await call()];
}

function refusedThenGranted(name: string) {
  const email = `${name}@${project}.iam.gserviceaccount.com`;
  return [
    { status: 403, email },
    { status: 200, email, message: "Hello World from authenticated Cloud Run!" },
  ];
}

/** Answers each request with the result of `callTarget(url)`. */
const NODE = `
const { GoogleAuth } = require(${JSON.stringify(createRequire(import.meta.url).resolve("google-auth-library"))});
const auth = new GoogleAuth();
async function callTarget(url) {
  const { client_email: email } = await auth.getCredentials();
  const client = await auth.getIdTokenClient(url);
  const { status, data } = await client.request({ url, validateStatus: () => true });
  return { status, email, message: data.message };
}
require("node:http")
  .createServer((request, response) => {
    callTarget(process.env.TARGET).then(
      (found) => response.end(JSON.stringify(found)),
      (error) => response.writeHead(500).end(JSON.stringify({ error: String(error.stack) })),
    );
  })
  .listen(process.env.PORT, "127.0.0.1");
`;

test("a service in Node calls a private one with google-auth-library as in production: 403 before the grant, 200 after it", async () => {
  expect(await aroundTheGrant(await deployCaller("caller-node", tinyService(NODE)))).toEqual(refusedThenGranted("caller-node"));
});

// Debian's google-auth lacks google.oauth2.id_token.fetch_id_token: this asks the metadata server as that function does, with the library's client.
const PYTHON = `
import json, os, urllib.parse
from http.server import BaseHTTPRequestHandler, HTTPServer
import google.auth, google.auth.transport.requests, requests
from google.auth.compute_engine import _metadata

def call_target(url):
    credentials, project = google.auth.default()
    request = google.auth.transport.requests.Request()
    credentials.refresh(request)
    query = urllib.parse.urlencode({"audience": url, "format": "full"})
    token = _metadata.get(request, "instance/service-accounts/default/identity?" + query)
    answer = requests.get(url, headers={"Authorization": "Bearer " + token})
    found = {"status": answer.status_code, "email": credentials.service_account_email}
    if answer.ok:
        found["message"] = answer.json()["message"]
    by_name = requests.get("http://metadata.google.internal/computeMetadata/v1/project/project-id", headers={"Metadata-Flavor": "Google"})
    assert by_name.text == project, by_name.text
    return found

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(call_target(os.environ["TARGET"])).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
`;

testNeeding(
  "google-auth",
  "a service in Python calls a private one with google-auth and requests: 403 before the grant, 200 after it",
  async () => {
    const Dockerfile = 'FROM python:3.11-slim\nWORKDIR /app\nCOPY server.py ./\nCMD ["python3", "server.py"]\n';
    const caller = await deployCaller("caller-python", { Dockerfile, "server.py": PYTHON });
    expect(await aroundTheGrant(caller)).toEqual(refusedThenGranted("caller-python"));
  },
);

const GO = `package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"cloud.google.com/go/compute/metadata"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/idtoken"
)

func callTarget(url string) (map[string]interface{}, error) {
	ctx := context.Background()
	credentials, err := google.FindDefaultCredentials(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := credentials.TokenSource.Token(); err != nil {
		return nil, err
	}
	email, err := metadata.Email("")
	if err != nil {
		return nil, err
	}
	client, err := idtoken.NewClient(ctx, url)
	if err != nil {
		return nil, err
	}
	answer, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	found := map[string]interface{}{}
	if answer.StatusCode == 200 {
		if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
			return nil, err
		}
	}
	found["status"], found["email"] = answer.StatusCode, email
	return found, nil
}

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		found, err := callTarget(os.Getenv("TARGET"))
		if err != nil {
			found = map[string]interface{}{"error": err.Error()}
		}
		json.NewEncoder(w).Encode(found)
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
	os.Exit(1)
}
`;

testNeeding(
  "go",
  "a service in Go calls a private one with idtoken: 403 before the grant, 200 after it",
  async ([go = ""]) => {
    const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-go-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "main.go"), GO);
    execFileSync(go, ["build", "-o", join(folder, "server"), join(folder, "main.go")], {
      env: { ...process.env, GO111MODULE: "off", GOPATH: GO_PATH, GOFLAGS: "", CGO_ENABLED: "0" },
    });
    // The process engine has no base image for Go; a static program runs on Node's as well.
    const Dockerfile = `FROM node:22-slim\nCMD [${JSON.stringify(join(folder, "server"))}]\n`;
    const caller = await deployCaller("caller-go", { Dockerfile });
    expect(await aroundTheGrant(caller)).toEqual(refusedThenGranted("caller-go"));
  },
  180_000,
);
