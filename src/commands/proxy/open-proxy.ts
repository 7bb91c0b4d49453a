import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { principalOfToken } from "../../auth/principal.ts";
import type { EvidenceLookup } from "../../invoke/refusal/evidence.ts";
import type { CachedCredentials } from "../../auth/token-cache.ts";
import type { TokenHeader } from "../../invoke/headers.ts";
import { CliError } from "../../errors/cli-error.ts";
import { createAdmission } from "./check-host.ts";
import { isStatusPath, textPage, type Door } from "./local-responses.ts";
import type { Addresses } from "./headers.ts";
import { openJournal } from "./request-log.ts";
import { listen, type Answers } from "./listen.ts";
import { passOnHttp1 } from "./forward-http1.ts";
import { passOnHttp2 } from "./forward-http2.ts";
import { createRefusals } from "./rejections.ts";
import { createStatusPage, type Page } from "./status-page.ts";
import { openTokenKeeper } from "./token-refresh.ts";
import { openUpstream } from "./upstream.ts";

interface ProxyOptions {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly service: URL;
  readonly audience: string;
  readonly credentials: CachedCredentials;
  /** The token's header where Authorization is the caller's own. */
  readonly secondCarrier: TokenHeader;
  /** Web origins, besides those of this machine, whose pages may call. */
  readonly origins: readonly string[];
  /** This machine's name. */
  readonly machine: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends what is under way to a corporate proxy. */
  readonly signal: AbortSignal;
  readonly look: EvidenceLookup;
  /** Takes a line for each request, several at a time; without it they are not put together. */
  readonly log?: (lines: string) => void;
  readonly warn: (text: string) => void;
  readonly note: (text: string) => void;
}

export interface Proxy {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly principal: string | undefined;
  /** Requests under way. */
  active(): number;
  /** Takes no more connections, lets what is under way come to its end for so many milliseconds, and resolves when all is closed. */
  close(grace: number): Promise<void>;
}

/** Opens a port on this machine that passes requests on to a service with its token. Throws as the credentials do, PROXY_FAILED where there is no such port to be had. */
export async function openProxy(options: ProxyOptions): Promise<Proxy> {
  const { host, service, audience, credentials, env, signal } = options;
  const upstream = openUpstream({ service, env, signal });
  const tokens = openTokenKeeper(credentials, audience);
  const journal = openJournal(options.log);
  const shut = (): void => {
    tokens.close();
    upstream.close();
    journal.close();
  };
  try {
    const token = await tokens.get();
    const principal = credentials.principal ?? principalOfToken(token);
    const status = createStatusPage({ ...options, credentials: credentials.description, principal: () => principal, tokens, journal });
    const known = new Map<string, Addresses>();
    const addressesFor = (own: string): Addresses => {
      const addresses = known.get(own) ?? { service, own: `http://${own}` };
      if (known.size < 100) known.set(own, addresses);
      return addresses;
    };
    const refusals = createRefusals({ ...options, principal, tokens });
    const server = await listen(options, (port) => {
      const admit = createAdmission({ ...options, port });
      return answersOf({ ...options, admit, addressesFor, tokens, upstream, journal, refusals, status });
    }).catch((error: NodeJS.ErrnoException) => {
      throw explainListening(error, options);
    });

    return {
      url: `http://${isIP(host) === 6 ? `[${host}]` : host}:${server.port}`,
      principal,
      active: journal.active,
      async close(grace) {
        server.stop();
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          timer = setTimeout(resolve, grace);
          journal.onIdle(resolve);
        });
        clearTimeout(timer);
        // What was answered last is on its way out still.
        await new Promise((passed) => setImmediate(passed));
        server.destroy();
        shut();
      },
    };
  } catch (error) {
    shut();
    throw error;
  }
}

function answersOf(door: Door): Answers {
  return {
    door,
    answer(request, response, isWebSocket) {
      const { headers, method } = request;
      const path = pathOf(request);
      const page = ownPage(door, path === request.url ? headers.host : hostOf(request), path, headers, method, isWebSocket);
      if (!page) return passOnHttp1(request, response, path, door, isWebSocket);
      response.writeHead(page.status, { ...page.headers, "content-length": Buffer.byteLength(page.body) }).end(page.body);
      request.resume();
    },
    answerHttp2(stream, headers) {
      const { ":authority": authority, ":path": path = "", ":method": method } = headers;
      const page = ownPage(door, authority ?? headers.host, path, headers, method);
      if (!page) return void passOnHttp2(stream, headers, door);
      stream.on("error", () => {});
      stream.respond({ ":status": page.status, ...page.headers });
      stream.end(method === "HEAD" ? undefined : page.body);
      stream.resume();
    },
  };
}

/** What the proxy answers itself; undefined for what is to be passed on. */
function ownPage(
  door: Door,
  host: string | undefined,
  path: string,
  headers: IncomingMessage["headers"],
  method: string | undefined,
  isWebSocket = false,
): Page | undefined {
  const refused = door.admit(host, headers, method, isWebSocket);
  if (refused) return textPage(refused.status, refused.sentence);
  return isStatusPath(path) ? door.status(headers.accept, `http://${host}`) : undefined;
}

/** RFC 9112, section 3.2.2: a request may name the whole URL, whose host then goes before the header. */
function pathOf({ url = "/" }: IncomingMessage): string {
  if (url.startsWith("/") || !URL.canParse(url)) return url;
  return url.replace(/^[a-z]+:\/\/[^/?#]*/i, "").replace(/^(?!\/)/, "/");
}

function hostOf({ url = "" }: IncomingMessage): string | undefined {
  return /^http:\/\/([^/?#]*)/i.exec(url)?.[1];
}

function explainListening(error: NodeJS.ErrnoException, { host, port }: ProxyOptions): CliError {
  if (error.code === "EADDRINUSE")
    return new CliError("PROXY_FAILED", `Port ${port} on ${host} is taken by another program.`, {
      hint: "Take a free one: cloudrun-oauth proxy --port 0",
      cause: error,
    });
  if (error.code === "EACCES")
    return new CliError("PROXY_FAILED", `Port ${port} is not for everybody to listen on.`, {
      hint: "Take one above 1023: --port 8080",
      cause: error,
    });
  return new CliError("PROXY_FAILED", `${host}:${port} cannot be listened on: ${error.code ?? error.message}.`, {
    hint: "--host is an address of this machine, by default 127.0.0.1",
    cause: error,
  });
}
