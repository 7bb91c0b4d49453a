import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

/** The user's own proxy for requests to the network. */
export type UpstreamProxy = (protocol: "http" | "https") => URL | undefined;

export function upstreamProxy(env: Readonly<Record<string, string | undefined>>): UpstreamProxy {
  return (protocol) => {
    const value = env[`${protocol}_proxy`] || env[`${protocol.toUpperCase()}_PROXY`];
    // Without a scheme, URL would parse HOST:PORT as a scheme and a path.
    const url = value && !value.includes("://") ? `http://${value}` : value;
    return url && URL.canParse(url) ? new URL(url) : undefined;
  };
}

/** Answers CONNECT for a host that is not emulated, and forwards the bytes unchanged. */
export function tunnel(authority: { host: string; port: number }, client: Duplex, head: Buffer, upstream: UpstreamProxy): void {
  const proxy = upstream("https");
  const server = proxy
    ? connect(Number(proxy.port || 80), proxy.hostname)
    : connect(authority.port, authority.host.replace(/^\[|\]$/g, ""));
  client.on("error", () => server.destroy());
  client.on("close", () => server.destroy());
  server.on("close", () => client.destroy());
  let isConnected = false;
  server.on("error", (error) => {
    if (isConnected) client.destroy();
    else
      client.end(
        `HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/plain\r\n\r\nThe emulator couldn't reach ${authority.host}: ${error.message}\n`,
      );
  });
  server.on("connect", () => {
    isConnected = true;
    if (proxy) server.write(connectRequest(authority, proxy));
    else client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    pipe(client, server, head);
  });
}

// The upstream proxy's response to this reaches the client as the response to its own CONNECT.
function connectRequest({ host, port }: { host: string; port: number }, proxy: URL): string {
  const credentials = proxy.username
    ? Buffer.from(`${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`).toString("base64")
    : "";
  const authorization = credentials ? `proxy-authorization: Basic ${credentials}\r\n` : "";
  return `CONNECT ${host}:${port} HTTP/1.1\r\nhost: ${host}:${port}\r\n${authorization}\r\n`;
}

function pipe(client: Duplex, server: Socket, head: Buffer): void {
  if (head.length > 0) server.write(head);
  client.pipe(server);
  server.pipe(client);
}

/** Forwards a plain `GET http://…` for a host that is not emulated. */
export function forwardPlain(url: URL, request: IncomingMessage, response: ServerResponse, upstream: UpstreamProxy): void {
  const proxy = upstream("http");
  const headers = { ...request.headers };
  delete headers["proxy-connection"];
  delete headers["proxy-authorization"];
  const onward = httpRequest(
    proxy
      ? { host: proxy.hostname, port: proxy.port || 80, path: url.href, method: request.method, headers }
      : {
          host: url.hostname.replace(/^\[|\]$/g, ""),
          port: url.port || 80,
          path: `${url.pathname}${url.search}`,
          method: request.method,
          headers,
        },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    },
  );
  onward.on("error", (error) => {
    if (response.headersSent) return void response.destroy();
    response.writeHead(502, { "content-type": "text/plain" }).end(`The emulator couldn't reach ${url.host}: ${error.message}\n`);
  });
  response.on("close", () => onward.destroy());
  request.pipe(onward);
}
