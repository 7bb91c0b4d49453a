import { Agent as HttpAgent, request as httpRequest, type ClientRequest } from "node:http";
import { connect as connectHttp2, type ClientHttp2Session, type ClientSessionOptions } from "node:http2";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import type { CliError } from "../../errors/cli-error.ts";
import { MOST_HEADER_BYTES } from "../../http/wire/fields.ts";
import { openLinks, type Links } from "../../http/wire/links.ts";
import { CONNECT_TIMEOUT, explainFailure, TimedOut } from "../../http/network-error.ts";
import { createRoute, type Way } from "../../http/route.ts";
import { createTunnelAgent } from "../../http/tunnel.ts";

/** The connections to the service. */
export interface Upstream {
  /** A request in HTTP/1.1; `headers` are name, value, name, value … and all that it has. */
  request(method: string, path: string, headers: readonly string[]): ClientRequest;
  /** Connections for requests that are written as they go. */
  readonly links: Links;
  /** A connection for one more stream of HTTP/2, and what to call when that stream is over. */
  session(): Promise<{ readonly session: ClientHttp2Session; readonly release: () => void }>;
  /** The sentence for a request that got no answer. */
  explain(error: unknown): CliError;
  close(): void;
}

type Connected = (error: Error | null, connection: Duplex) => void;

interface UpstreamOptions {
  readonly service: URL;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Milliseconds. A connection that rests is closed before the other end does it in the moment that it is used. */
const REST = 55_000;
/** Milliseconds between two looks at the clock; a look that comes so much later than it should says that the machine has slept, and its connections are dead. */
const LOOK = 20_000;
const SLEPT = 30_000;
/** Cloud Run takes no more from one connection: https://cloud.google.com/run/quotas */
const MOST_STREAMS = 100;
/** Bytes that may be on their way before they are taken; megabytes for the last. */
export const HTTP2_WINDOWS = { stream: 1024 * 1024, session: 8 * 1024 * 1024, memory: 1024 } as const;

/** Opens the way to a service as `createSend` would go: to the emulator, by a proxy, or straight. Throws SETTINGS_INVALID. */
export function openUpstream({ service, env, signal }: UpstreamOptions): Upstream {
  const way = createRoute(env)(service);
  const agent = openAgent(way, signal);
  const { host, port, servername } = way.to;
  const request = way.secure ? httpsRequest : httpRequest;
  const links = openLinks((onread, use) => {
    const { createConnection } = agent as { createConnection(options: object, use: Connected): Duplex | undefined };
    const options = { host, port, servername, noDelay: true, onread, ...(way.secure && { ALPNProtocols: ["http/1.1"] }) };
    const connection = createConnection.call(agent, options, way.tunnel ? use : () => {});
    if (connection) use(null, connection);
  }, REST);
  const sessions: { session: ClientHttp2Session; streams: number }[] = [];
  let opening: Promise<void> | undefined;

  let looked = Date.now();
  const look = (): void => {
    const now = Date.now();
    if (now - looked > LOOK + SLEPT) {
      agent.destroy();
      links.forget();
      for (const { session } of sessions.splice(0)) session.destroy();
    }
    links.look(now);
    looked = now;
  };
  const timer = setInterval(look, LOOK);
  timer.unref();

  const openSession = async (): Promise<void> => {
    const session = await connectSession(way, service, agent);
    const entry = { session, streams: 0 };
    const forget = (): void => {
      const index = sessions.indexOf(entry);
      if (index >= 0) sessions.splice(index, 1);
    };
    session.on("close", forget).on("goaway", forget);
    // Each stream hears of it by itself.
    session.on("error", forget);
    session.setTimeout(REST, () => entry.streams === 0 && session.close());
    session.setLocalWindowSize(HTTP2_WINDOWS.session);
    sessions.push(entry);
  };

  return {
    links,
    request(method, path, headers) {
      if (Date.now() - looked > LOOK + SLEPT) look();
      return request({
        agent,
        host,
        port,
        servername,
        method,
        path,
        headers: headers as unknown as Record<string, string>,
        setHost: false,
        maxHeaderSize: MOST_HEADER_BYTES,
      });
    },
    async session() {
      if (Date.now() - looked > LOOK + SLEPT) look();
      for (;;) {
        const entry = sessions.find(({ session, streams }) => streams < MOST_STREAMS && !session.closed && !session.destroyed);
        if (entry) {
          entry.streams += 1;
          return { session: entry.session, release: () => void (entry.streams -= 1) };
        }
        await (opening ??= openSession().finally(() => (opening = undefined)));
      }
    },
    explain: (error) => explainFailure(error, service, way),
    close() {
      clearInterval(timer);
      agent.destroy();
      links.close();
      for (const { session } of sessions.splice(0)) session.destroy();
    },
  };
}

function openAgent(way: Way, signal: AbortSignal): HttpAgent {
  const settings = { keepAlive: true, timeout: REST };
  const agent = way.tunnel
    ? createTunnelAgent(way.tunnel, signal, settings)
    : way.secure
      ? new HttpsAgent(settings)
      : new HttpAgent(settings);
  // There is one place to connect to, whose long name Node would put together for each request.
  agent.getName = () => "service";
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const connection = create(options, callback);
    if (connection) limitConnecting(connection, way.secure);
    return connection;
  };
  return agent;
}

function limitConnecting(connection: Duplex, secure: boolean): void {
  const limit = setTimeout(() => connection.destroy(new TimedOut(CONNECT_TIMEOUT)), CONNECT_TIMEOUT);
  const settled = () => clearTimeout(limit);
  connection.once(secure ? "secureConnect" : "connect", settled).once("close", settled);
}

/** Connects in HTTP/2: inside TLS, or to the emulator and to services on this machine without, by prior knowledge. */
async function connectSession(way: Way, service: URL, agent: HttpAgent): Promise<ClientHttp2Session> {
  const { port, servername } = way.to;
  const host = way.to.host ?? "";
  const options: ClientSessionOptions = {
    settings: { enablePush: false, initialWindowSize: HTTP2_WINDOWS.stream },
    maxSessionMemory: HTTP2_WINDOWS.memory,
  };
  if (way.tunnel) {
    const tls = { host, port: Number(port), servername, ALPNProtocols: ["h2"] };
    const socket = await new Promise<Duplex>((resolve, reject) => {
      agent.createConnection(tls, (error, connection) => (error ? reject(error) : resolve(connection)));
    });
    return connected(connectHttp2(service.origin, { ...options, createConnection: () => socket }));
  }
  const address = `${way.secure ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return connected(connectHttp2(address, { ...options, ...(servername && { servername }) }));
}

/** Resolves when the other end has said that it speaks HTTP/2: until then nobody else hears of a failure. */
function connected(session: ClientHttp2Session): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => session.destroy(new TimedOut(CONNECT_TIMEOUT)), CONNECT_TIMEOUT);
    const fail = (error: Error): void => {
      clearTimeout(limit);
      reject(error);
    };
    session.once("error", fail);
    session.once("close", () => fail(new Error("it does not speak HTTP/2")));
    session.once("remoteSettings", () => {
      clearTimeout(limit);
      session.off("error", fail);
      resolve(session);
    });
  });
}
