import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type OutgoingHttpHeaders as Http2Headers,
} from "node:http2";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { expect, onTestFinished } from "vitest";
import { openCertificateAuthority } from "../../src/emulator/server/certificate-authority.ts";
import { createFrontDoor } from "../../src/emulator/front-door/front-door.ts";
import { openSigningKeys } from "../../src/emulator/oauth2/signing-keys.ts";
import { openLogStore } from "../../src/emulator/logging/log-store.ts";
import { createRequestLog } from "../../src/emulator/logging/request-log.ts";
import { createInstances } from "../../src/emulator/run/instances/instances.ts";
import { hashUrl } from "../../src/emulator/run/names.ts";
import { createService } from "../../src/emulator/run/services.ts";
import { createEmulatorServer } from "../../src/emulator/server/server.ts";
import { openTestState, OWNER, PROJECT, testPlace } from "./api-server.ts";
import { addImage, createNodeEngine } from "./node-engine.ts";
import { IMAGE, service } from "./run-server.ts";

interface Wanted {
  /** The program of an instance. */
  readonly script: string;
  readonly protocol?: "http1" | "h2c";
  readonly spec?: object;
  /** True if anyone can call it. */
  readonly isPublic?: boolean;
}

/** One service behind the emulator's own server and front door; its instances are processes. */
export async function openFrontDoor({ script, protocol = "http1", spec = {}, isPublic = true }: Wanted) {
  const state = openTestState();
  const place = testPlace(state);
  const annotations = { "run.googleapis.com/invoker-iam-disabled": String(isPublic) };
  const digest = addImage(state, IMAGE, script);
  const made = createService(
    { state, now: Date.now },
    {
      place,
      principal: { member: `serviceAccount:${OWNER}`, email: OWNER, scopes: [] },
      dryRun: false,
      body: service({ annotations, spec, container: { ports: [{ name: protocol, containerPort: 8080 }] } }),
    },
  );
  const revisionName = made.status.latestCreatedRevisionName ?? "";
  const key = `${PROJECT}/us-central1/${revisionName}`;
  const revision = state.revisions.get(key);
  if (!revision) throw new Error("The service has no revision");
  state.revisions.set(key, { ...revision, status: { ...revision.status, imageDigest: `${IMAGE}@${digest}` } });
  state.services.set(`${PROJECT}/us-central1/hello`, { ...made, status: { ...made.status, traffic: [{ revisionName, percent: 100 }] } });

  const engine = createNodeEngine();
  const lines: string[] = [];
  const instances = createInstances({ state, engine }, { onLog: (_, stream, line) => lines.push(`${stream} ${line}`) });
  const authority = openCertificateAuthority(state.directory, Date.now);
  const log: string[] = [];
  const logs = openLogStore(join(state.directory, "logs"), { now: Date.now, log: (line) => log.push(line) });
  const requestLog = createRequestLog({ logs, now: Date.now });
  const server = createEmulatorServer({
    authority,
    router: async () => expect.fail("No API is called here"),
    frontDoor: createFrontDoor({ state, signingKeys: openSigningKeys(state.directory), now: Date.now, instances, requestLog }),
    now: Date.now,
    admin: async () => expect.fail("The emulator itself is not called here"),
    upstream: () => undefined,
    log: (line) => log.push(line),
  });
  onTestFinished(async () => {
    await server.close();
    await instances.close();
    logs.close();
    expect(engine.alive).toBe(0);
    expect(log).toEqual([]);
  });
  const port = await server.listen(0);
  const host = new URL(hashUrl(place, "hello")).host;
  const tunnel = () => openTunnel(port, host, authority.certificate);
  return {
    state,
    engine,
    lines,
    logs,
    port,
    host,
    key,
    /** A TLS connection through CONNECT. */
    tunnel,
    /** A session of HTTP/2 in such a connection. */
    async session(): Promise<ClientHttp2Session> {
      const socket = await tunnel()("h2");
      const session = connectHttp2(`https://${host}`, { createConnection: () => socket });
      session.on("error", () => undefined);
      onTestFinished(() => session.destroy());
      return session;
    },
    call: (path: string, options: CallOptions = {}) => callService(port, host, path, options),
  };
}

interface CallOptions {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer | Readable;
}

/** Calls a service over plain HTTP/1.1; resolves when the response's head has arrived. */
async function callService(
  port: number,
  host: string,
  path: string,
  { method = "GET", headers, body }: CallOptions,
): Promise<IncomingMessage> {
  const sent = httpRequest({ host: "127.0.0.1", port, method, path, headers: { host, ...headers }, agent: false });
  onTestFinished(() => void sent.destroy());
  sent.on("error", () => undefined);
  if (body !== undefined && typeof body !== "string" && !Buffer.isBuffer(body)) body.pipe(sent);
  else sent.end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return answer;
}

function openTunnel(port: number, host: string, ca: string) {
  return async (protocol: "h2" | "http/1.1"): Promise<TLSSocket> => {
    const plain = connectTcp(port, "127.0.0.1");
    plain.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`);
    expect(String((await once(plain, "data"))[0])).toBe("HTTP/1.1 200 Connection Established\r\n\r\n");
    const socket = connectTls({ socket: plain, servername: host, ca, ALPNProtocols: [protocol] });
    onTestFinished(() => void socket.destroy());
    await once(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe(protocol);
    return socket;
  };
}

interface Http2Answer {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly trailers: Readonly<Record<string, unknown>>;
  /** True if the response ended with its head. */
  readonly isHeadOnly: boolean;
  readonly bytes: Buffer;
}

/** Sends a request in HTTP/2, and reads the whole response; rejects if it is aborted. */
export async function exchange(session: ClientHttp2Session, headers: Http2Headers, body?: Buffer): Promise<Http2Answer> {
  const stream: ClientHttp2Stream = session.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  let trailers = {};
  stream.on("trailers", (received) => (trailers = received));
  const [received, flags] = (await once(stream, "response")) as [Record<string, unknown>, number];
  const bytes = Buffer.concat(await stream.toArray());
  return { headers: received, trailers: Object.fromEntries(Object.entries(trailers)), isHeadOnly: (flags & 1) === 1, bytes };
}
