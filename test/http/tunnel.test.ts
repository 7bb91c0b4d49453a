import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import type { SecureContext } from "node:tls";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { openCertificateAuthority } from "../../src/emulator/server/certificate-authority.ts";
import { createSend } from "../../src/http/client.ts";
import { temporaryDirectory } from "../helpers/api-server.ts";
import { bundleProgram } from "../helpers/bundle.ts";
import { failure } from "../helpers/failure.ts";
import { listen } from "../helpers/listen.ts";

/** A server for `*.a.run.app`, and the certificate of its authority. */
async function serveTls(): Promise<{ port: number; authority: string }> {
  const { certificate, contextFor } = openCertificateAuthority(temporaryDirectory(), Date.now);
  const SNICallback = (host: string, done: (error: Error | null, context?: SecureContext) => void) => done(null, contextFor(host));
  return {
    port: await listen(createTlsServer({ SNICallback }, (request, response) => response.end(`inside ${request.url}`))),
    authority: certificate,
  };
}

/** A proxy whose tunnels all lead to one port; returns the targets that were requested. */
async function serveTunnel(
  port: number,
  status = "200 OK",
): Promise<{ port: number; asked: (readonly [string | undefined, string | undefined])[] }> {
  const asked: (readonly [string | undefined, string | undefined])[] = [];
  const proxy = createServer();
  proxy.on("connect", (request: IncomingMessage, socket) => {
    asked.push([request.url, request.headers["proxy-authorization"]]);
    socket.write(`HTTP/1.1 ${status}\r\n\r\n`);
    if (!status.startsWith("2")) return void socket.end();
    const onward = connect(port, "127.0.0.1");
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  });
  return { port: await listen(proxy), asked };
}

test("an untrusted certificate is refused behind a tunnel too, with a hint how to trust it", async () => {
  const { port } = await serveTls();
  const tunnel = await serveTunnel(port);
  const send = createSend({ env: { https_proxy: `http://me:secret@127.0.0.1:${tunnel.port}` } });
  const error = await failure(send({ method: "GET", url: "https://hello-uc.a.run.app/" }));
  expect(error).toMatchObject({ code: "UNAVAILABLE", details: { cause: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" } });
  expect(error.message).toBe(
    `Can't reach hello-uc.a.run.app through the proxy 127.0.0.1:${tunnel.port}: its certificate isn't trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE).`,
  );
  expect(error.hint).toContain("NODE_EXTRA_CA_CERTS");
  expect(tunnel.asked).toEqual([["hello-uc.a.run.app:443", `Basic ${Buffer.from("me:secret").toString("base64")}`]]);
});

test("https requests share one tunnel, and the process ends when its work is done", async () => {
  const { port, authority } = await serveTls();
  const tunnel = await serveTunnel(port);
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "ca.pem"), authority);
  const script = await bundleProgram(`
    import { createSend } from "${join(import.meta.dirname, "../../src/http/client.ts")}";
    const send = createSend({ env: process.env });
    for (const path of ["/1", "/2", "/3"]) console.log(await (await send({ method: "GET", url: "https://hello-uc.a.run.app" + path })).text());`);
  // NODE_EXTRA_CA_CERTS is read when a process starts, so this one needs its own.
  const env = { NODE_EXTRA_CA_CERTS: join(directory, "ca.pem"), HTTPS_PROXY: `http://127.0.0.1:${tunnel.port}` };
  const { stdout } = await promisify(execFile)(process.execPath, [script], { env, timeout: 20_000 });
  expect(stdout).toBe("inside /1\ninside /2\ninside /3\n");
  expect(tunnel.asked).toEqual([["hello-uc.a.run.app:443", undefined]]);
});

test("a proxy that refuses the tunnel is named with its status", async () => {
  const tunnel = await serveTunnel(1, "407 Proxy Authentication Required");
  const error = await failure(
    createSend({ env: { HTTPS_PROXY: `127.0.0.1:${tunnel.port}` } })({ method: "GET", url: "https://service.example.test/" }),
  );
  expect(error.message).toBe(`Can't reach service.example.test through the proxy 127.0.0.1:${tunnel.port}: the proxy returned 407.`);
  expect(error.hint).toContain("HTTPS_PROXY=http://USER:PASSWORD@");
});

test("a tunnel that never opens fails with the request's timeout", async () => {
  const port = await listen(createTcpServer(() => {}));
  const controller = new AbortController();
  const send = createSend({ env: { HTTPS_PROXY: `http://127.0.0.1:${port}` }, signal: controller.signal });
  expect(await failure(send({ method: "GET", url: "https://service.example.test/", timeoutMs: 60 }))).toMatchObject({ code: "TIMEOUT" });
  controller.abort();
});
