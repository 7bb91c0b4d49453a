import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { principalOfToken } from "../../auth/member.ts";
import type { EvidenceLookup } from "../../invoke/refusal/evidence.ts";
import type { CachedCredentials } from "../../auth/token-cache.ts";
import type { TokenHeader } from "../../invoke/headers.ts";
import { CliError } from "../../errors/cli-error.ts";
import { createHostCheck } from "./check-host.ts";
import { forwardHttp1 } from "./forward-http1.ts";
import { forwardHttp2 } from "./forward-http2.ts";
import type { Addresses } from "./headers.ts";
import { listen, type RequestHandlers } from "./listen.ts";
import { localPage } from "./local-pages.ts";
import { createRejections } from "./rejections.ts";
import type { RequestContext } from "./request-context.ts";
import { openRequestLog } from "./request-log.ts";
import { openServiceConnections } from "./service-connections.ts";
import { createStatusPage } from "./status-page.ts";
import { openTokenSource } from "./token-source.ts";

interface ProxyOptions {
  readonly host: string;
  /** 0 for a free port. */
  readonly port: number;
  readonly service: URL;
  readonly audience: string;
  readonly credentials: CachedCredentials;
  /** The token's header for requests that have an Authorization header. */
  readonly secondTokenHeader: TokenHeader;
  /** Web origins whose pages can call, besides local ones. */
  readonly origins: readonly string[];
  /** This computer's host name. */
  readonly machine: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends connection attempts to a corporate proxy. */
  readonly signal: AbortSignal;
  readonly lookUpEvidence: EvidenceLookup;
  /** Takes a line for each request, in batches. */
  readonly log?: (lines: string) => void;
  /** Takes the explanation of a rejected request, and each failure of the proxy itself. */
  readonly report: (error: CliError) => void;
}

export interface Proxy {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly principal: string | undefined;
  /** The number of requests in progress. */
  active(): number;
  /** Stops listening, gives the requests in progress this long to finish, and resolves when everything is closed. */
  close(timeoutMs: number): Promise<void>;
}

/** Opens a local port that forwards requests to a service with its token. Throws as the credentials do, and PROXY_FAILED if it can't listen on the port. */
export async function openProxy(options: ProxyOptions): Promise<Proxy> {
  const { host, service, audience, credentials, env, signal } = options;
  const connections = openServiceConnections({ service, env, signal });
  const tokens = openTokenSource(credentials, audience);
  const requestLog = openRequestLog(options.log);
  const closeAll = (): void => {
    tokens.close();
    connections.close();
    requestLog.close();
  };
  try {
    const token = await tokens.get();
    const principal = credentials.principal ?? principalOfToken(token);
    const statusPage = createStatusPage({
      ...options,
      credentials: credentials.description,
      principal: () => principal,
      tokens,
      requestLog,
    });
    const cached = new Map<string, Addresses>();
    const addressesFor = (calledHost: string): Addresses => {
      const addresses = cached.get(calledHost) ?? { service, proxyUrl: `http://${calledHost}` };
      if (cached.size < 100) cached.set(calledHost, addresses);
      return addresses;
    };
    const rejections = createRejections({ ...options, principal, tokens });
    const server = await listen(options, (port) => {
      const checkHost = createHostCheck({ ...options, port });
      return createHandlers({ ...options, checkHost, addressesFor, tokens, connections, requestLog, rejections, statusPage });
    }).catch((error: NodeJS.ErrnoException) => {
      throw explainListenError(error, options);
    });

    return {
      url: `http://${isIP(host) === 6 ? `[${host}]` : host}:${server.port}`,
      principal,
      active: requestLog.active,
      async close(timeoutMs) {
        server.stop();
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          timer = setTimeout(resolve, timeoutMs);
          requestLog.onIdle(resolve);
        });
        clearTimeout(timer);
        // The last response is still being written.
        await new Promise((resolve) => setImmediate(resolve));
        server.destroy();
        closeAll();
      },
    };
  } catch (error) {
    closeAll();
    throw error;
  }
}

function createHandlers(context: RequestContext): RequestHandlers {
  return {
    http1(request, response, isWebSocket) {
      const { headers, method, url } = request;
      const path = pathOf(request);
      const page = localPage({ host: path === url ? headers.host : hostOf(request), path, headers, method, isWebSocket }, context);
      if (!page) return forwardHttp1(request, response, path, context, isWebSocket);
      response.writeHead(page.status, { ...page.headers, "content-length": Buffer.byteLength(page.body) }).end(page.body);
      request.resume();
    },
    http2(stream, headers) {
      const { ":authority": authority, ":path": path = "", ":method": method } = headers;
      const page = localPage({ host: authority ?? headers.host, path, headers, method }, context);
      if (!page) return void forwardHttp2(stream, headers, context);
      stream.on("error", () => {});
      stream.respond({ ":status": page.status, ...page.headers });
      stream.end(method === "HEAD" ? undefined : page.body);
      stream.resume();
    },
  };
}

/** RFC 9112, section 3.2.2: a request can contain the whole URL, whose host then overrides the Host header. */
function pathOf({ url = "/" }: IncomingMessage): string {
  if (url.startsWith("/") || !URL.canParse(url)) return url;
  return url.replace(/^[a-z]+:\/\/[^/?#]*/i, "").replace(/^(?!\/)/, "/");
}

function hostOf({ url = "" }: IncomingMessage): string | undefined {
  return /^http:\/\/([^/?#]*)/i.exec(url)?.[1];
}

function explainListenError(error: NodeJS.ErrnoException, { host, port }: ProxyOptions): CliError {
  if (error.code === "EADDRINUSE")
    return new CliError("PROXY_FAILED", `Port ${port} is already in use.`, {
      hint: "Stop the other process, or use --port 0 to pick a free port.",
      cause: error,
    });
  if (error.code === "EACCES")
    return new CliError("PROXY_FAILED", `Permission denied for port ${port}.`, { hint: "Use a port above 1023.", cause: error });
  return new CliError("PROXY_FAILED", `Can't listen on ${host}:${port}: ${error.code ?? error.message}.`, {
    hint: "--host must be one of this computer's addresses (default: 127.0.0.1).",
    cause: error,
  });
}
