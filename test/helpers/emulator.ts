import { createPrivateKey } from "node:crypto";
import { mkdtempSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Header } from "tar";
import { expect, onTestFinished } from "vitest";
import { createEmulator, type EngineChoice, type EmulatorStatus } from "../../src/emulator/index.ts";
import { signJwt } from "../../src/emulator/oauth2/jwt.ts";
import { send, type Answer, type RequestOptions } from "./api-server.ts";
import { RECORDING } from "./recording.ts";
import { assertNoSecrets, assertNoSecretsIn } from "./secret-scan.ts";

/** Registers a clean-up for the end of a test, or with `afterAll` of a file's tests. */
export type AtEnd = (cleanUp: () => Promise<void> | void) => void;

/** An emulator as its operator uses it, through Google's REST APIs. */
export interface Operated {
  readonly port: number;
  readonly project: string;
  /** The operator's access token. */
  readonly token: string;
  /** Sends a request to one of Google's hosts, as the operator unless `options` has another token. */
  request(method: string, host: string, path: string, options?: RequestOptions): Promise<Answer>;
  /** Builds an image from a source archive, or from files by their paths; resolves with the Build message when the build has ended. */
  build(image: string, source: Buffer | Files): Promise<Build>;
  /** The build's log so far. */
  buildLog(build: Build): Promise<string>;
  /** Builds and deploys a private service; resolves when its revision is ready or has failed. */
  deploy(name: string, files: Files, container?: object): Promise<Deployed>;
  grant(name: string, member: string): Promise<void>;
  /** An ID token of the account in the key file that CREDS names. */
  idToken(audience: string): Promise<string>;
}

interface Build {
  readonly id: string;
  readonly status: string;
  readonly statusDetail?: string;
  readonly logsBucket: string;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface Deployed {
  readonly url: string;
  readonly host: string;
  /** The condition Ready. */
  readonly ready: Condition | undefined;
}

export type Files = Readonly<Record<string, string>>;

const TOKEN_ENDPOINT = "oauth2.googleapis.com";
const BEARER_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";

interface StartSettings {
  readonly port?: number;
  readonly engine?: EngineChoice;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds until a policy change takes effect. */
  readonly iamPropagation?: number;
}

/** Starts an emulator in this process, in its own folder, on a free port. A secret in its log or its state fails the test at the end. */
export async function startEmulator(
  atEnd: AtEnd = onTestFinished,
  { port = 0, engine = "process", env = process.env, iamPropagation = 0 }: StartSettings = {},
) {
  const directory = mkdtempSync(join(tmpdir(), "cloudrun-oauth-emulator-"));
  const log: string[] = [];
  const emulator = await createEmulator({
    directory,
    port,
    engine,
    env: { ...env, CLOUDRUN_OAUTH_RECORD: RECORDING },
    iamPropagation,
    log: (line) => log.push(line),
  });
  atEnd(async () => {
    try {
      await emulator.close();
      assertNoSecrets({ log: log.join("\n") });
      assertNoSecretsIn(directory, { keys: ["keys"] });
    } finally {
      await emulator.remove();
    }
  });
  await emulator.createCallerKey();
  return { ...emulator, directory, log, ...(await operate(emulator.status())) };
}

/** Asserts that an emulator still responds to valid requests, and has logged no bug of its own. */
export async function expectUnharmed({ request, project, log }: Awaited<ReturnType<typeof startEmulator>>): Promise<void> {
  expect((await request("GET", "storage.googleapis.com", `/storage/v1/b?project=${project}`)).status).toBe(200);
  expect(log.splice(0).filter((line) => /\bError\b/.test(line))).toEqual([]);
}

/** Signs in to a running emulator as its operator. */
export async function operate({ url, project, environment }: Pick<EmulatorStatus, "url" | "project" | "environment">): Promise<Operated> {
  const port = Number(new URL(url).port);
  const exchange = async (keyFile: string, wants: object): Promise<Answer["json"]> => {
    const assertion = signAssertion(readFileSync(environment[keyFile] ?? "", "utf8"), wants);
    const body = new URLSearchParams({ grant_type: BEARER_GRANT, assertion }).toString();
    return (await send(port, "POST", TOKEN_ENDPOINT, "/token", { token: "", body })).json;
  };
  const { access_token: token } = await exchange("GOOGLE_APPLICATION_CREDENTIALS", {
    scope: "https://www.googleapis.com/auth/cloud-platform",
  });
  const request: Operated["request"] = (method, host, path, options) => send(port, method, host, path, { token, ...options });
  const services = `/apis/serving.knative.dev/v1/namespaces/${project}/services`;

  const build: Operated["build"] = async (image, source) => {
    const bucket = `${project}_cloudbuild`;
    const object = `source/${crypto.randomUUID()}.tgz`;
    await request("POST", "storage.googleapis.com", `/storage/v1/b?project=${project}`, { body: { name: bucket } });
    const upload = `/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(object)}`;
    await request("POST", "storage.googleapis.com", upload, { body: Buffer.isBuffer(source) ? source : archive(source) });
    const steps = [{ name: "gcr.io/cloud-builders/docker", args: ["build", "-t", image, "."] }];
    const body = { source: { storageSource: { bucket, object } }, steps, images: [image] };
    const { metadata } = (await request("POST", "cloudbuild.googleapis.com", `/v1/projects/${project}/builds`, { body })).json;
    return poll(
      async () =>
        (await request("GET", "cloudbuild.googleapis.com", `/v1/projects/${project}/builds/${metadata.build.id}`)).json as unknown as Build,
      ({ status }) => status !== "QUEUED" && status !== "WORKING",
    );
  };

  return {
    port,
    project,
    token,
    request,
    build,
    async buildLog({ id, logsBucket }) {
      return (await request("GET", "storage.googleapis.com", `/${logsBucket.replace("gs://", "")}/log-${id}.txt`)).text;
    },
    async deploy(name, files, container = {}) {
      const image = `gcr.io/${project}/${name}`;
      const { status, statusDetail } = await build(image, files);
      if (status !== "SUCCESS") throw new Error(`The build of ${name}: ${status}: ${statusDetail}`);
      const template = { spec: { containers: [{ image, ...container }] } };
      const body = { apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name, namespace: project }, spec: { template } };
      const made = await request("POST", "us-central1-run.googleapis.com", services, { body });
      if (made.status !== 200) throw new Error(`The deployment of ${name}: ${made.text}`);
      const { url, ready } = await poll(
        async () => {
          const { status } = (await request("GET", "us-central1-run.googleapis.com", `${services}/${name}`)).json;
          return { url: status.url as string, ready: (status.conditions as Condition[]).find(({ type }) => type === "Ready") };
        },
        ({ ready }) => ready?.status !== "Unknown",
      );
      return { url, host: new URL(url).host, ready };
    },
    async grant(name, member) {
      const path = `/v1/projects/${project}/locations/us-central1/services/${name}:setIamPolicy`;
      const body = { policy: { bindings: [{ role: "roles/run.invoker", members: [member] }] } };
      const { status, text } = await request("POST", "run.googleapis.com", path, { body });
      if (status !== 200) throw new Error(`The grant on ${name}: ${text}`);
    },
    idToken: async (audience) => (await exchange("CREDS", { target_audience: audience })).id_token,
  };
}

/** A service of one file, which needs no package. */
export function tinyService(server: string): Files {
  return { Dockerfile: 'FROM node:22-slim\nWORKDIR /app\nCOPY server.js ./\nCMD ["node", "server.js"]\n', "server.js": server };
}

/** A server that answers every request as the templates do. */
export const HELLO = `
require("node:http")
  .createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ message: "Hello World from authenticated Cloud Run!" }));
  })
  .listen(process.env.PORT, "127.0.0.1");
`;

/** A tar archive of regular files. */
function archive(files: Files): Buffer {
  return archiveOf(Object.entries(files).map(([path, content]) => ({ path, content })));
}

interface Entry {
  readonly path: string;
  readonly content?: string;
  readonly type?: "File" | "SymbolicLink" | "Link" | "CharacterDevice" | "Directory" | "FIFO";
  readonly linkpath?: string;
}

/** A tar archive of any entries, including those that no well-behaved client would write. */
export function archiveOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, content = "", type = "File", linkpath }) => {
    const bytes = Buffer.from(content);
    const header = new Header({
      path,
      type,
      size: bytes.length,
      mode: 0o644,
      mtime: new Date(0),
      ...(linkpath !== undefined && { linkpath }),
    });
    header.encode();
    return [header.block as Buffer, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Sends bytes to a port, and returns what came back until the connection ended or was idle for a second. */
export function exchangeBytes(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    const end = () => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString("latin1"));
    };
    socket.setTimeout(1000, end);
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", end).on("close", end);
  });
}

/** An assertion that is valid for an hour, signed with a key file; `wants` are further claims. */
export function signAssertion(keyFile: string, wants: object): string {
  const { client_email: iss, private_key: pem, private_key_id: keyId, token_uri: aud } = JSON.parse(keyFile);
  const iat = Math.floor(Date.now() / 1000);
  const privateKey = createPrivateKey(pem);
  return signJwt(JSON.stringify({ iss, aud, iat, exp: iat + 3600, ...wants }), { keyId, privateKey, publicKey: privateKey });
}

async function poll<T>(read: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read();
    if (isDone(value)) return value;
    await new Promise((passed) => setTimeout(passed, 50));
  }
}
