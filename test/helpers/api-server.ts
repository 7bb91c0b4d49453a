import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { onTestFinished } from "vitest";
import { DEFAULT_APIS } from "../../src/emulator/apis/enabled-apis.ts";
import type { Place } from "../../src/emulator/run/names.ts";
import { ApiError } from "../../src/emulator/server/errors.ts";
import { openRecorder } from "../../src/emulator/server/recorder.ts";
import { createRouter, type Api } from "../../src/emulator/server/router.ts";
import { createEmulatorServer } from "../../src/emulator/server/server.ts";
import { openState, type State } from "../../src/emulator/state/state.ts";
import { RECORDING } from "./recording.ts";
import { assertNoSecrets } from "./secret-scan.ts";

export const PROJECT = "demo-project";
export const PROJECT_NUMBER = "123456789012";
export const OWNER = `owner@${PROJECT}.iam.gserviceaccount.com`;
/** The owner's access token. */
export const TOKEN = "ya29.owner";

/** A JSON object as an API answers it: a test says itself what it expects of it. */
// oxlint-disable-next-line typescript/no-explicit-any -- a type would only repeat what the assertions say
export type Json = Record<string, any>;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** The JSON object of the body; throws where it is none. */
  readonly json: Json;
}

export interface RequestOptions {
  /** The owner's where it is not said; "" for a request without a credential. */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | Buffer | Readable | object;
}

export interface ApiServer {
  readonly port: number;
  request(method: string, host: string, path: string, options?: RequestOptions): Promise<Answer>;
  close(): Promise<void>;
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "cloudrun-oauth-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A state with one project, all of whose APIs are enabled, and its owner signed in. */
export function openTestState(directory = temporaryDirectory(), now = Date.now): State {
  const state = reopenState(directory, now);
  for (const name of DEFAULT_APIS) state.apis.set(`${PROJECT}/${name}`, { name, enabledAt: "2026-01-01T00:00:00Z" });
  state.projects.set(PROJECT, { projectId: PROJECT, projectNumber: PROJECT_NUMBER, name: "Demo", createTime: "2026-01-01T00:00:00Z" });
  signIn(state, OWNER, TOKEN, "roles/owner");
  return state;
}

/** The region us-central1 of the state's project. */
export function testPlace(state: State): Place {
  const project = state.projects.get(PROJECT);
  if (!project) throw new Error("The state has no project");
  return { project, region: "us-central1" };
}

/** The state that an earlier run left in a directory; the test's end closes it, unless the test has. */
export function reopenState(directory: string, now = Date.now): State {
  const opened = openState(directory, now);
  let open = true;
  const close = (): void => {
    if (open) opened.close();
    open = false;
  };
  onTestFinished(() => {
    close();
    const journal = join(directory, "state.jsonl");
    if (existsSync(journal)) assertNoSecrets({ "state.jsonl": readFileSync(journal, "utf8") });
  });
  return { ...opened, close };
}

/** Makes a service account with a role on the project, or none, and an access token. */
export function signIn(state: State, email: string, token: string, role?: string): void {
  state.serviceAccounts.set(email, { email, projectId: PROJECT, uniqueId: "100000000000000000001" });
  state.accessTokens.set(createHash("sha256").update(token).digest("hex"), {
    email,
    scopes: ["https://www.googleapis.com/auth/cloud-platform"],
    expires: Math.floor(Date.now() / 1000) + 3600,
  });
  if (!role) return;
  const { bindings } = state.policies.get(`projects/${PROJECT}`) ?? { bindings: [] };
  state.policies.set(`projects/${PROJECT}`, {
    version: 1,
    bindings: [...bindings, { role, members: [`serviceAccount:${email}`] }],
    etag: "ACAB",
  });
}

/** Serves APIs by the emulator's own server on a free port, as clients of plain HTTP with Google's Host headers see them. */
export async function serveApis(apis: readonly Api[], state: State, now = Date.now): Promise<ApiServer> {
  const refuse = async (): Promise<never> => {
    throw new ApiError("NOT_FOUND", "Only Google's APIs are served here.");
  };
  const recorder = openRecorder(RECORDING);
  onTestFinished(recorder.close);
  const server = createEmulatorServer({
    authority: { contextFor: refuse } as unknown as Parameters<typeof createEmulatorServer>[0]["authority"],
    router: recorder.wrap(createRouter(async () => apis, state, now).route),
    frontDoor: refuse,
    now: Date.now,
    admin: refuse,
    upstream: () => undefined,
    log: (line) => {
      throw new Error(line);
    },
  });
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= server.close());
  onTestFinished(close);
  const port = await server.listen(0);
  return { port, close, request: (...args) => send(port, ...args) };
}

/** Sends a request to one of Google's hosts over plain HTTP, as the emulator's port takes it. */
export function send(port: number, method: string, host: string, path: string, options: RequestOptions = {}): Promise<Answer> {
  const { token = TOKEN, body } = options;
  const raw = body === undefined || typeof body === "string" || Buffer.isBuffer(body) || isStream(body);
  const headers = {
    host,
    ...(token && { authorization: `Bearer ${token}` }),
    ...(!raw && { "content-type": "application/json" }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString("utf8");
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          bytes,
          text,
          get json() {
            return JSON.parse(text);
          },
        });
      });
    });
    request.on("error", reject);
    if (isStream(body)) body.pipe(request);
    else request.end(raw ? body : JSON.stringify(body));
  });
}

function isStream(body: RequestOptions["body"]): body is Readable {
  return typeof body === "object" && "pipe" in body;
}
