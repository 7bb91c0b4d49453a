import { createServer } from "node:http";
import { createServer as createHttp2Server, type Http2Server } from "node:http2";
import { createServer as createTcpServer } from "node:net";
import { expect, test } from "vitest";
import { waitForFailure, waitForStart } from "../../../../src/emulator/run/instances/probe.ts";
import { listen } from "../../../helpers/listen.ts";

const NEVER = new AbortController().signal;
const ONCE = { periodSeconds: 1, failureThreshold: 1 };

/** Responds to gRPC health checks with a status, and records the requests. */
async function serveHealth(status: number): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server: Http2Server = createHttp2Server();
  server.on("stream", (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => undefined);
    stream.on("end", () => {
      asked.push(`${headers[":path"]} ${Buffer.concat(chunks).toString("hex")}`);
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]));
    });
  });
  return { port: await listen(server as never), asked };
}

test("a gRPC probe uses the health checking protocol", async () => {
  const serving = await serveHealth(1);
  expect(await waitForStart({ ...ONCE, grpc: {} }, serving.port, NEVER)).toBe(true);
  expect(await waitForStart({ ...ONCE, grpc: { service: "hello" } }, serving.port, NEVER)).toBe(true);
  expect(serving.asked).toEqual(["/grpc.health.v1.Health/Check 0000000000", "/grpc.health.v1.Health/Check 00000000070a0568656c6c6f"]);
  const not = await serveHealth(2);
  expect(await waitForStart({ ...ONCE, grpc: {} }, not.port, NEVER)).toBe(false);
  const http1 = await listen(createServer((_, response) => response.end("ok")));
  expect(await waitForStart({ ...ONCE, grpc: {} }, http1, NEVER)).toBe(false);
});

test("a probe without a response before its timeout fails", async () => {
  let count = 0;
  const port = await listen(createServer((_, response) => void ((count += 1) > 1 && response.end())));
  const begun = performance.now();
  expect(await waitForStart({ periodSeconds: 3, failureThreshold: 1, timeoutSeconds: 1, httpGet: {} }, port, NEVER)).toBe(true);
  expect(performance.now() - begun).toBeGreaterThan(990);
});

test("the initial delay passes before the first probe", async () => {
  const port = await listen(createTcpServer());
  const begun = performance.now();
  expect(await waitForStart({ initialDelaySeconds: 1 }, port, NEVER)).toBe(true);
  expect(performance.now() - begun).toBeGreaterThan(990);
});

test("only consecutive failures count", async () => {
  const answers = [200, 500, 200, 500, 500];
  const asked: number[] = [];
  const port = await listen(
    createServer((_, response) => {
      const status = answers[asked.length] ?? 200;
      asked.push(status);
      response.writeHead(status).end();
    }),
  );
  expect(await waitForFailure({ periodSeconds: 0.05, failureThreshold: 2, httpGet: {} }, port, NEVER)).toBe(true);
  expect(asked).toEqual(answers);
});

test("probing stops when the instance is gone", async () => {
  const gone = new AbortController();
  const port = await listen(createTcpServer());
  const watching = waitForFailure({ periodSeconds: 3600 }, port, gone.signal);
  const starting = waitForStart({ initialDelaySeconds: 240 }, port, gone.signal);
  gone.abort();
  expect(await Promise.all([watching, starting])).toEqual([false, false]);
});
