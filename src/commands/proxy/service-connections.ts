import { request as httpRequest, type Agent, type AgentOptions, type ClientRequest } from "node:http";
import { connect as connectHttp2, type ClientHttp2Session, type ClientSessionOptions } from "node:http2";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import type { CliError } from "../../errors/cli-error.ts";
import { CONNECT_TIMEOUT_MS, explainFailure, TimedOut } from "../../http/network-error.ts";
import { createRouter, type Route } from "../../http/route.ts";
import { createAgent } from "../../http/tunnel.ts";
import { MAX_HEADER_BYTES, type RawHeaders } from "../../http/raw-headers.ts";

/** The connections to the service. */
export interface ServiceConnections {
  /** Begins a request in HTTP/1.1 with exactly these headers, on an idle connection unless `isNewConnection` is true. */
  request(method: string, path: string, headers: RawHeaders, isNewConnection: boolean): ClientRequest;
  /** A connection for one more stream of HTTP/2, and the function to call when that stream is over. */
  session(): Promise<{ readonly session: ClientHttp2Session; readonly release: () => void }>;
  /** Explains why a request got no response. */
  explain(error: unknown): CliError;
  close(): void;
}

interface ConnectionOptions {
  readonly service: URL;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** An idle connection is closed before the service closes it at the moment that it is used again. */
const KEEP_ALIVE_MS = 55_000;
/** A check of the clock that comes this much late shows that the machine has slept, and that its connections are dead. */
const CLOCK_CHECK_INTERVAL_MS = 20_000;
const SLEEP_THRESHOLD_MS = 30_000;
/** Cloud Run accepts no more streams on one connection: https://cloud.google.com/run/quotas */
const MAX_STREAMS = 100;
/** Bytes that can be in flight before they are read. */
export const HTTP2_WINDOW_BYTES = { stream: 1024 * 1024, session: 8 * 1024 * 1024 } as const;
export const HTTP2_MAX_SESSION_MEMORY_MB = 1024;

/** Opens connections along the same route as `createSend`: to the emulator, through a proxy, or direct. Throws SETTINGS_INVALID. */
export function openServiceConnections({ service, env, signal }: ConnectionOptions): ServiceConnections {
  const route = createRouter(env)(service);
  const reusing = openAgent(route, signal, { keepAlive: true, timeout: KEEP_ALIVE_MS });
  const connectingAnew = openAgent(route, signal, {});
  const { host, port, servername } = route.target;
  const request = route.isSecure ? httpsRequest : httpRequest;
  const sessions: { session: ClientHttp2Session; streams: number }[] = [];
  let opening: Promise<void> | undefined;

  let checkedAt = Date.now();
  const checkClock = (): void => {
    const now = Date.now();
    if (now - checkedAt > CLOCK_CHECK_INTERVAL_MS + SLEEP_THRESHOLD_MS) {
      reusing.destroy();
      for (const { session } of sessions.splice(0)) session.destroy();
    }
    checkedAt = now;
  };
  const timer = setInterval(checkClock, CLOCK_CHECK_INTERVAL_MS);
  timer.unref();

  const openSession = async (): Promise<void> => {
    const session = await connectSession(route, service, reusing);
    const entry = { session, streams: 0 };
    const forget = (): void => {
      const index = sessions.indexOf(entry);
      if (index >= 0) sessions.splice(index, 1);
    };
    session.on("close", forget).on("goaway", forget);
    // Each stream emits the error too.
    session.on("error", forget);
    session.setTimeout(KEEP_ALIVE_MS, () => entry.streams === 0 && session.close());
    session.setLocalWindowSize(HTTP2_WINDOW_BYTES.session);
    sessions.push(entry);
  };

  return {
    request(method, path, headers, isNewConnection) {
      checkClock();
      return request({
        agent: isNewConnection ? connectingAnew : reusing,
        host,
        port,
        servername,
        method,
        path,
        headers: headers as unknown as Record<string, string>,
        setHost: false,
        maxHeaderSize: MAX_HEADER_BYTES,
      });
    },
    async session() {
      checkClock();
      for (;;) {
        const entry = sessions.find(({ session, streams }) => streams < MAX_STREAMS && !session.closed && !session.destroyed);
        if (entry) {
          entry.streams += 1;
          return { session: entry.session, release: () => void (entry.streams -= 1) };
        }
        await (opening ??= openSession().finally(() => (opening = undefined)));
      }
    },
    explain: (error) => explainFailure(error, service, route),
    close() {
      clearInterval(timer);
      reusing.destroy();
      connectingAnew.destroy();
      for (const { session } of sessions.splice(0)) session.destroy();
    },
  };
}

function openAgent(route: Route, signal: AbortSignal, settings: AgentOptions): Agent {
  const agent = createAgent(route, signal, settings);
  // One name is enough for one service; Node would build a long one for each request.
  agent.getName = () => "service";
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const connection = create(options, callback);
    if (connection) limitConnecting(connection, route.isSecure);
    return connection;
  };
  return agent;
}

function limitConnecting(connection: Duplex, secure: boolean): void {
  const limit = setTimeout(() => connection.destroy(new TimedOut(CONNECT_TIMEOUT_MS)), CONNECT_TIMEOUT_MS);
  const stop = () => clearTimeout(limit);
  connection.once(secure ? "secureConnect" : "connect", stop).once("close", stop);
}

/** Connects in HTTP/2: in TLS, or, to the emulator and to local services, without it, by prior knowledge. */
async function connectSession(route: Route, service: URL, agent: Agent): Promise<ClientHttp2Session> {
  const { port, servername } = route.target;
  const host = route.target.host ?? "";
  const options: ClientSessionOptions = {
    settings: { enablePush: false, initialWindowSize: HTTP2_WINDOW_BYTES.stream },
    maxSessionMemory: HTTP2_MAX_SESSION_MEMORY_MB,
  };
  if (route.tunnel) {
    const tls = { host, port: Number(port), servername, ALPNProtocols: ["h2"] };
    const socket = await new Promise<Duplex>((resolve, reject) => {
      agent.createConnection(tls, (error, connection) => (error ? reject(error) : resolve(connection)));
    });
    return connected(connectHttp2(service.origin, { ...options, createConnection: () => socket }));
  }
  const address = `${route.isSecure ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return connected(connectHttp2(address, { ...options, ...(servername && { servername }) }));
}

/** Resolves when the other end has confirmed that it speaks HTTP/2; until then no one else handles a failure. */
function connected(session: ClientHttp2Session): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => session.destroy(new TimedOut(CONNECT_TIMEOUT_MS)), CONNECT_TIMEOUT_MS);
    const fail = (error: Error): void => {
      clearTimeout(limit);
      reject(error);
    };
    session.once("error", fail);
    session.once("close", () => fail(new Error("the service doesn't support HTTP/2")));
    session.once("remoteSettings", () => {
      clearTimeout(limit);
      session.off("error", fail);
      resolve(session);
    });
  });
}
