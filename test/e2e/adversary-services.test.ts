import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { afterAll, afterEach, expect, test } from "vitest";
import { archiveOf, expectUnharmed, startEmulator, tinyService } from "../helpers/emulator.ts";

const emulator = await startEmulator(afterAll);
const { port, project, directory } = emulator;
afterEach(() => expectUnharmed(emulator));

const DOCKERFILE = { path: "Dockerfile", content: "FROM node:22-slim\nCOPY . /app\n" };

test.for([
  ["a path with ..", [DOCKERFILE, { path: "../escaped", content: "x" }]],
  ["an absolute path", [DOCKERFILE, { path: `${directory}/escaped`, content: "x" }]],
  [
    "a file behind a link to the outside",
    [DOCKERFILE, { path: "out", type: "SymbolicLink", linkpath: ".." }, { path: "out/escaped", content: "x" }],
  ],
  ["a hard link to a file outside", [DOCKERFILE, { path: "passwd", type: "Link", linkpath: "/etc/passwd" }]],
  ["a device file", [DOCKERFILE, { path: "null", type: "CharacterDevice" }]],
  ["a named pipe", [DOCKERFILE, { path: "pipe", type: "FIFO" }]],
] as const)("a source archive with %s fails its build and writes nothing outside", async ([, entries]) => {
  const build = await emulator.build(`gcr.io/${project}/bad`, archiveOf(entries));
  expect([build.status, build.statusDetail]).toEqual(["FAILURE", expect.stringContaining("failed to fetch storage source gs://")]);
  const written = readdirSync(directory, { recursive: true, encoding: "utf8" });
  expect(written.filter((path) => path.includes("escaped"))).toEqual([]);
});

test.for(["/etc/passwd", "../../../../../../../../../../etc/passwd"])(
  "an archive whose Dockerfile is a link to %s reveals nothing",
  async (linkpath) => {
    const build = await emulator.build(`gcr.io/${project}/bad`, archiveOf([{ path: "Dockerfile", type: "SymbolicLink", linkpath }]));
    expect(build.status).toBe("FAILURE");
    expect(await emulator.buildLog(build)).not.toContain("root:");
  },
);

test.for([
  ["bytes that are no archive", randomBytes(5000)],
  ["half of an archive", archiveOf([DOCKERFILE, { path: "big", content: "x".repeat(5000) }]).subarray(0, 4000)],
  ["nothing", Buffer.alloc(0)],
])("a source of %s fails its build", async ([, source]) => {
  const build = await emulator.build(`gcr.io/${project}/bad`, source as Buffer);
  expect(build).toMatchObject({ status: "FAILURE", statusDetail: expect.any(String) });
});

test.for([
  ["RUN apt-get update", 2],
  ["ADD https://example.com/x /x", 2],
  ["COPY ../../etc/passwd /app/", 2],
  ["RUN curl http://example.com | sh", 2],
  ["FRMO scratch", 2],
])("a Dockerfile with %s fails its build, and the error names the line", async ([instruction, line]) => {
  const build = await emulator.build(`gcr.io/${project}/bad`, { Dockerfile: `FROM node:22-slim\n${instruction}\nCMD ["node", "x.js"]\n` });
  expect(build.status).toBe("FAILURE");
  expect(await emulator.buildLog(build)).toMatch(new RegExp(`\\bline ${line}\\b`, "i"));
});

/** A service that misbehaves; the path selects how. */
const ODD = `
const { createServer } = require("node:net");
const say = {
  "/whole": "HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nwhole",
  "/malformed": "this is not HTTP\\r\\n\\r\\n",
  "/status-0": "HTTP/1.1 000 Nothing\\r\\nContent-Length: 0\\r\\n\\r\\n",
  "/status-1000": "HTTP/1.1 1000 Much\\r\\nContent-Length: 0\\r\\n\\r\\n",
  "/reason": "HTTP/1.1 200 O\\x01K\\x7f\\r\\nContent-Length: 0\\r\\n\\r\\n",
  "/header": "HTTP/1.1 200 OK\\r\\nX-Odd: a\\x01b\\x7f\\r\\nContent-Length: 0\\r\\n\\r\\n",
  "/lengths": "HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\nContent-Length: 5\\r\\n\\r\\nwhole",
  "/headers": "HTTP/1.1 200 OK\\r\\nX-Large: " + "a".repeat(1000000) + "\\r\\n\\r\\n",
  "/switch": "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: odd\\r\\nConnection: Upgrade\\r\\n\\r\\nodd",
  "/nothing": "",
  "/half": "HTTP/1.1 200 OK\\r\\nContent-Length: 1000\\r\\n\\r\\nhalf",
  "/half-chunk": "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n100\\r\\nhalf",
};
createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", (data) => {
    const path = /^\\w+ (\\S*)/.exec(data)[1];
    if (path !== "/giant") return socket.end(Buffer.from(say[path], "latin1"));
    // Chunked, since Cloud Run passes on no more than 32 MiB in one piece.
    socket.write("HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n");
    const chunk = Buffer.concat([Buffer.from("100000\\r\\n"), Buffer.alloc(1048576, "x"), Buffer.from("\\r\\n")]);
    let left = 512;
    const more = () => { while (left > 0) { left -= 1; if (!socket.write(chunk)) return socket.once("drain", more); } socket.end("0\\r\\n\\r\\n"); };
    more();
  });
}).listen(process.env.PORT, "127.0.0.1");
`;

let odd: Promise<{ host: string; authorization: string }> | undefined;
const callOdd = async (path: string): Promise<IncomingMessage> => {
  odd ??= emulator.deploy("odd", tinyService(ODD)).then(async ({ url, host }) => {
    await emulator.grant("odd", `serviceAccount:caller@${project}.iam.gserviceaccount.com`);
    return { host, authorization: `Bearer ${await emulator.idToken(url)}` };
  });
  const sent = httpRequest({ host: "127.0.0.1", port, path, headers: await odd, agent: false }).end();
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return answer;
};

test.for(["/malformed", "/status-0", "/status-1000", "/reason", "/header", "/lengths", "/headers", "/switch", "/nothing"])(
  "a service that answers %s gives its caller a 503",
  async (path) => {
    const answer = await callOdd(path);
    if (path === "/reason") return expect([answer.statusCode, answer.statusMessage]).toEqual([200, "OK"]);
    const text = Buffer.concat(await answer.toArray()).toString();
    expect([answer.statusCode, text]).toEqual([
      503,
      expect.stringContaining("either the HTTP response was malformed or connection to the instance had an error"),
    ]);
    expect((await callOdd("/whole").then((whole) => whole.toArray())).join("")).toBe("whole");
  },
);

test.for(["/half", "/half-chunk"])("a response that breaks off in the middle (%s) breaks off for the caller", async (path) => {
  const answer = await callOdd(path);
  expect(answer.statusCode).toBe(200);
  await expect(answer.toArray()).rejects.toThrow("aborted");
});

test("a huge response is streamed, and waits for a caller that reads slowly", async () => {
  const answer = await callOdd("/giant");
  const before = process.memoryUsage().rss;
  await new Promise((passed) => setTimeout(passed, 500));
  let most = process.memoryUsage().rss;
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if (Math.floor((size + chunk.length) / 2 ** 25) > Math.floor(size / 2 ** 25)) most = Math.max(most, process.memoryUsage().rss);
    size += chunk.length;
  }
  expect(size).toBe(512 * 1024 * 1024);
  expect((most - before) / 2 ** 20).toBeLessThan(150);
});

test.for([
  ["exits at once", `console.error("no database"); process.exit(3)`, ["no database", "Container called exit(3)."]],
  ["never listens", `setInterval(() => {}, 1000)`, ["within the allocated timeout"]],
  ["has no program to run", undefined, ["/nowhere"]],
] as const)("a service that %s doesn't become ready, and the status has the reason", async ([what, server, reasons]) => {
  const files = server === undefined ? { Dockerfile: 'FROM node:22-slim\nCMD ["/nowhere"]\n' } : tinyService(server);
  const startupProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 1 };
  const container = what === "never listens" ? { startupProbe } : {};
  const { ready } = await emulator.deploy(what.replaceAll(" ", "-"), files, container);
  expect(ready).toMatchObject({ status: "False", reason: "HealthCheckContainerError" });
  for (const reason of reasons.slice(0, what === "never listens" ? 0 : undefined)) expect(ready?.message).toContain(reason);
});
