import { once } from "node:events";
import { createServer } from "node:http";
import { connect as connectTcp, createServer as createTcpServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:https";
import { expect, test } from "vitest";
import { openCertificateAuthority } from "../../src/emulator/server/certificate-authority.ts";
import { createSend } from "../../src/http/client.ts";
import { temporaryDirectory } from "../helpers/api-server.ts";
import { failure } from "../helpers/failure.ts";
import { listen } from "../helpers/listen.ts";

test("the first request uses the connection that was opened ahead of time", async () => {
  const server = createServer((request, response) => response.end(`port ${request.socket.remotePort}`));
  const url = `http://127.0.0.1:${await listen(server)}/`;
  const connected = once(server, "connection") as Promise<[Socket]>;
  let connections = 0;
  server.on("connection", () => (connections += 1));
  const send = createSend({ env: {} });
  send.connect?.(new URL(url));
  send.connect?.(new URL(url));
  const [{ remotePort }] = await connected;
  expect(await (await send({ method: "GET", url })).text()).toBe(`port ${remotePort}`);
  send.connect?.(new URL(url));
  expect(await (await send({ method: "GET", url })).text()).toBe(`port ${remotePort}`);
  expect(connections).toBe(1);
});

test("a tunnel that was opened ahead of time has finished its TLS handshake when the request comes", async () => {
  const { contextFor } = openCertificateAuthority(temporaryDirectory(), Date.now);
  const server = createTlsServer({ SNICallback: (host, done) => done(null, contextFor(host)) }, (_, response) => response.end("never"));
  const port = await listen(server);
  let tunnels = 0;
  const proxy = createServer().on("connect", (_, socket: Socket) => {
    tunnels += 1;
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    const onward = connectTcp(port, "127.0.0.1");
    for (const each of [socket, onward]) each.on("error", () => {});
    socket.pipe(onward).pipe(socket);
  });
  const send = createSend({ env: { https_proxy: `http://127.0.0.1:${await listen(proxy)}` } });
  const met = once(server, "tlsClientError");
  send.connect?.(new URL("https://hello-uc.a.run.app/"));
  // This process doesn't trust the authority: its refusal, before any request, shows that the handshake took place.
  await met;
  expect(tunnels).toBe(1);
  const error = await failure(send({ method: "GET", url: "https://hello-uc.a.run.app/" }));
  expect(error).toMatchObject({ code: "UNAVAILABLE", details: { cause: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" } });
});

test("a request opens its own connection if the one ahead of time failed", async () => {
  let isFirst = true;
  const server = createServer((_, response) => response.end("hello"));
  const port = await listen(
    createTcpServer((socket) => {
      if (!isFirst) return void server.emit("connection", socket);
      isFirst = false;
      socket.end();
    }),
  );
  const send = createSend({ env: {} });
  const url = `http://127.0.0.1:${port}/`;
  send.connect?.(new URL(url));
  expect(await (await send({ method: "GET", url })).text()).toBe("hello");
});

test("a failed connection is reported by the request, not before it", async () => {
  const server = createServer();
  const port = await listen(server);
  server.close();
  const send = createSend({ env: {} });
  const url = `http://127.0.0.1:${port}/`;
  send.connect?.(new URL(url));
  expect(await failure(send({ method: "GET", url }))).toMatchObject({
    code: "UNAVAILABLE",
    details: { cause: "ECONNREFUSED" },
  });
});
