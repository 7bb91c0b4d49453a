import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { openFrontDoor } from "../../helpers/front-door.ts";

/** Agrees to WebSocket and gives back what it gets; `/no` refuses. */
const ECHO = `
const server = require("node:http").createServer((request, response) => response.end("plain"));
server.on("upgrade", (request, socket, head) => {
  socket.on("error", () => {}).on("close", () => console.log("closed"));
  if (request.url === "/no") return socket.end("HTTP/1.1 400 Bad Request\\r\\nContent-Length: 2\\r\\n\\r\\nno");
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Accept: " + request.headers["sec-websocket-key"] + "\\r\\nX-Seen: " + request.headers["x-forwarded-proto"] + "\\r\\n\\r\\nwelcome");
  if (request.url === "/end") return socket.end();
  socket.write(head);
  socket.pipe(socket);
});
server.listen(process.env.PORT);
`;

function handshake(host: string, path = "/", headers = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: key\r\nSec-WebSocket-Version: 13\r\n${headers}\r\n`;
}

/** Reads until the end of what is looked for. */
async function readTo(socket: Socket, end: string): Promise<string> {
  let text = "";
  while (!text.includes(end)) text += String((await once(socket, "data"))[0]);
  return text;
}

async function readAll(socket: Socket): Promise<string> {
  return Buffer.concat(await socket.toArray()).toString();
}

function open(port: number): Socket {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  return socket;
}

test.for(["plain", "TLS"])("a WebSocket passes frames both ways, over %s", async (way) => {
  const { port, host, tunnel, lines } = await openFrontDoor({ script: ECHO });
  const socket = way === "TLS" ? await tunnel()("http/1.1") : open(port);
  socket.write(`${handshake(host)}early `);
  const head = await readTo(socket, "early ");
  expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
  expect(head).toMatch(/\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nwelcomeearly $/);
  expect(head).toContain("\r\nX-Seen: https\r\n");
  socket.write("frame");
  expect(await readTo(socket, "frame")).toBe("frame");
  socket.destroy();
  await vi.waitFor(() => expect(lines).toEqual(["stdout closed"]));
});

test("a WebSocket ends for the caller when the service ends it", async () => {
  const { port, host } = await openFrontDoor({ script: ECHO });
  const socket = open(port);
  socket.write(handshake(host, "/end"));
  expect(await readAll(socket)).toMatch(/welcome$/);
});

test("a service that doesn't agree responds as to any other request", async () => {
  const { port, host } = await openFrontDoor({ script: ECHO });
  const socket = open(port);
  socket.write(handshake(host, "/no"));
  expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[^]*\r\n\r\nno$/);
});

test("a WebSocket to a private service is accepted or rejected like any other call", async () => {
  const { port, host } = await openFrontDoor({ script: ECHO, isPublic: false });
  for (const [headers, status] of [
    ["", "403 Forbidden"],
    ["Authorization: Bearer nonsense\r\n", "401 Unauthorized"],
  ] as const) {
    const socket = open(port);
    socket.write(handshake(host, "/", headers));
    const answer = await readAll(socket);
    expect(answer.split("\r\n")[0]).toBe(`HTTP/1.1 ${status}`);
    expect(answer).toMatch(/<\/html>\n$/);
  }
});

test("a WebSocket lasts no longer than the request timeout", async () => {
  const { port, host } = await openFrontDoor({ script: ECHO, spec: { timeoutSeconds: 1 } });
  const socket = open(port);
  socket.write(handshake(host));
  const begun = performance.now();
  expect(await readAll(socket)).toMatch(/welcome$/);
  expect(performance.now() - begun).toBeGreaterThan(900);
});

test("an open WebSocket counts toward the instance's concurrency until it is closed", async () => {
  const { port, host, call, engine } = await openFrontDoor({ script: ECHO, spec: { containerConcurrency: 1 } });
  const socket = open(port);
  socket.write(handshake(host));
  await readTo(socket, "welcome");
  await call("/");
  expect(engine.started).toBe(2);
});
