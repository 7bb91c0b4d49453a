import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Where the way out of this machine is by a proxy of the user's own. */
export type UpstreamProxy = (protocol: "http" | "https") => URL | undefined;

/** Reads the proxy that the emulator's own environment names. */
export function upstreamProxy(env: Readonly<Record<string, string | undefined>>): UpstreamProxy {
  return (protocol) => {
    const value = env[`${protocol}_proxy`] || env[`${protocol.toUpperCase()}_PROXY`];
    // Without a scheme it is a host and a port, and not a scheme and a path.
    const url = value && !value.includes("://") ? `http://${value}` : value;
    return url && URL.canParse(url) ? new URL(url) : undefined;
  };
}

/** Answers CONNECT for a host that is not emulated: the bytes go through untouched. */
export function tunnel(authority: { host: string; port: number }, client: Duplex, head: Buffer, upstream: UpstreamProxy): void {
  const proxy = upstream("https");
  const server = proxy
    ? connect(Number(proxy.port || 80), proxy.hostname)
    : connect(authority.port, authority.host.replace(/^\[|\]$/g, ""));
  client.on("error", () => server.destroy());
  client.on("close", () => server.destroy());
  server.on("close", () => client.destroy());
  let connected = false;
  server.on("error", (error) => {
    if (connected) client.destroy();
    else
      client.end(
        `HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/plain\r\n\r\nThe emulator could not reach ${authority.host}: ${error.message}\n`,
      );
  });
  server.on("connect", () => {
    connected = true;
    if (proxy) server.write(connectRequest(authority, proxy));
    else client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    pipe(client, server, head);
  });
}

// The upstream proxy's own answer to this reaches the client as the answer to its CONNECT.
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

/** Passes on a plain `GET http://…` for a host that is not emulated. */
export function forward(url: URL, request: IncomingMessage, response: ServerResponse, upstream: UpstreamProxy): void {
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
    response.writeHead(502, { "content-type": "text/plain" }).end(`The emulator could not reach ${url.host}: ${error.message}\n`);
  });
  response.on("close", () => onward.destroy());
  request.pipe(onward);
}
