import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { verifiedClaims } from "../../helpers/caller.ts";
import { listen } from "../../helpers/listen.ts";
import { begin, call, proxyTo } from "../../helpers/proxy.ts";

test("every request gets a token for the service, and keeps its headers, path, and body", async () => {
  const seen: { method: string | undefined; url: string | undefined; headers: IncomingHttpHeaders; body: string }[] = [];
  const { url, service, printed } = await proxyTo(async (request, response) => {
    const chunks: Buffer[] = await request.toArray();
    seen.push({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString("utf8") });
    response.writeHead(201, { "X-Mine": ["1", "2"], "Content-Type": "text/plain" }).end("made");
  });
  expect(printed).toBe(`${url}\n`);
  const answer = await call(`${url}/a%20b?c=1`, { method: "PUT", headers: { "X-Some": "thing", TE: "trailers" }, body: "text" });
  expect(answer).toMatchObject({ status: 201, headers: { "x-mine": "1, 2" }, text: "made" });
  const [{ method, url: path, headers, body } = {}] = seen;
  expect({ method, path, body, some: headers?.["x-some"], te: headers?.te, host: headers?.host }).toEqual({
    method: "PUT",
    path: "/a%20b?c=1",
    body: "text",
    some: "thing",
    te: undefined,
    host: new URL(service).host,
  });
  expect(verifiedClaims(headers?.authorization)).toMatchObject({ aud: service });
});

test.for([
  ["X-Serverless-Authorization", [], undefined],
  ["Proxy-Authorization", ["--iap", "some-client"], "some-client"],
] as const)(
  "the caller's own Authorization reaches the service, and the token uses %s, with the flags %j",
  async ([header, flags, audience]) => {
    let seen: IncomingHttpHeaders = {};
    const { url, service } = await proxyTo(
      (request, response) => {
        seen = request.headers;
        response.end();
      },
      ...flags,
    );
    const headers = { Authorization: "Basic bWU6bWU=", "X-Serverless-Authorization": "Bearer mine", "Proxy-Authorization": "x" };
    await call(url, { headers });
    const { authorization, [header.toLowerCase()]: token, "proxy-authorization": own } = seen;
    expect([authorization, verifiedClaims(String(token))]).toMatchObject(["Basic bWU6bWU=", { aud: audience ?? service }]);
    expect(own).not.toBe("x");
  },
);

test.for([
  ["GET", undefined],
  ["POST", undefined],
  ["POST", ""],
  ["DELETE", "body"],
] as const)("%s with the body %o arrives unchanged", async ([method, body]) => {
  const { url } = await proxyTo(async (request, response) => {
    const chunks: Buffer[] = await request.toArray();
    response.end(`${request.method} ${Buffer.concat(chunks).toString("utf8")}`);
  });
  expect((await call(url, { method, ...(body !== undefined && { body }) })).text).toBe(`${method} ${body ?? ""}`);
});

test("a chunked response keeps its trailers, and a chunked request body arrives completely", async () => {
  const { url } = await proxyTo(async (request, response) => {
    const chunks: Buffer[] = await request.toArray();
    response.writeHead(200, { Trailer: "X-Sum" }).write("a");
    response.addTrailers({ "X-Sum": String(Buffer.concat(chunks).length) });
    response.end("b");
  });
  const sent = httpRequest(url, { method: "POST", agent: false });
  sent.write("one");
  sent.end("two");
  const [answer] = await once(sent, "response");
  expect((await answer.toArray()).join("")).toBe("ab");
  expect(answer.trailers).toEqual({ "x-sum": "6" });
});

test("redirects and cookies of the service's host are rewritten to the proxy's, others stay unchanged", async () => {
  const { url, service } = await proxyTo((request, response) => {
    const { host = "", hostname } = new URL(`http://${request.headers.host}`);
    const to = new URL(request.url ?? "", service).searchParams.get("to") ?? "";
    response.setHeader("Set-Cookie", [`a=1; Domain=${hostname}; Path=/; HttpOnly`, "b=2; Domain=elsewhere.example; Secure"]);
    response.writeHead(302, { Location: to.replaceAll("HOST", host), "Alt-Svc": 'h3=":443"' }).end();
  });
  const locations: (string | undefined)[] = [];
  for (const to of ["http://HOST/x?y=http://HOST/", "//HOST", "/relative", "https://HOST.example/", "https://elsewhere.example/x"])
    locations.push((await call(`${url}/?to=${encodeURIComponent(to)}`)).headers.location);
  const { host } = new URL(service);
  expect(locations).toEqual([`${url}/x?y=http://${host}/`, url, "/relative", `https://${host}.example/`, "https://elsewhere.example/x"]);
  const { headers } = await call(`${url}/?to=/`);
  expect(headers["set-cookie"]).toEqual(["a=1; Path=/; HttpOnly", "b=2; Domain=elsewhere.example; Secure"]);
  expect(headers["alt-svc"]).toBeUndefined();
  const named = await call(`${url}/?to=http://HOST/`, { headers: { Host: `localhost:${new URL(url).port}` } });
  expect(named.headers.location).toBe(`http://localhost:${new URL(url).port}/`);
});

test("server-sent events arrive one by one, and end when the caller goes away", async () => {
  const answers: ServerResponse[] = [];
  const { url } = await proxyTo((_, response) => {
    answers.push(response.writeHead(200, { "Content-Type": "text/event-stream" }));
    response.flushHeaders();
  });
  const answer = await begin(`${url}/events`);
  expect(answer.headers["content-type"]).toBe("text/event-stream");
  for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
    answers[0]?.write(event);
    expect(String((await once(answer, "data"))[0])).toBe(event);
  }
  const gone = once(answers[0] as ServerResponse, "close");
  answer.destroy();
  await gone;
});

test("a WebSocket connects the caller to the service in both directions", async () => {
  const key = "dGhlIHNhbXBsZSBub25jZQ==";
  const accepted = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const claims: unknown[] = [];
  const server = createServer();
  server.on("upgrade", (request, socket) => {
    claims.push(verifiedClaims(request.headers.authorization), request.headers.origin);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accepted}\r\n\r\nhello`,
    );
    socket.on("data", (chunk) => socket.write(`echo ${String(chunk)}`));
  });
  const service = `http://127.0.0.1:${await listen(server)}`;
  const { url, stop } = await proxyTo(service);
  const sent = httpRequest(`${url}/socket`, {
    headers: { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13", Origin: url },
  });
  sent.end();
  const [answer, socket, head] = await once(sent, "upgrade");
  expect(answer.headers["sec-websocket-accept"]).toBe(accepted);
  let heard = String(head);
  socket.on("data", (chunk: Buffer) => (heard += String(chunk)));
  socket.write("ping");
  await expect.poll(() => heard).toBe("helloecho ping");
  // A page that came through the proxy belongs to the service.
  expect(claims).toMatchObject([{ aud: service }, service]);
  const closed = once(socket, "close");
  const { exitCode, stderr } = await stop();
  await closed;
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining("GET /socket 101")]);
});

test("a request to upgrade to HTTP/2 is answered without the upgrade", async () => {
  const { url } = await proxyTo((request, response) => response.end(request.headers.upgrade ?? "none"));
  const headers = { Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__" };
  expect(await call(url, { headers })).toMatchObject({ status: 200, text: "none" });
});

test("a failed connection is answered 502 with its reason, and a response that breaks off is aborted", async () => {
  const { url, stop } = await proxyTo((request, response) => {
    if (request.url === "/half") response.writeHead(200, { "Content-Length": 10 }).write("half");
    setTimeout(() => request.socket.destroy(), 20);
  });
  const reset = await call(`${url}/reset`);
  expect([reset.status, reset.text]).toEqual([502, expect.stringContaining("the connection was closed unexpectedly")]);
  await expect(call(`${url}/half`)).rejects.toThrow("aborted");
  const { stderr } = await stop();
  expect(stderr).toContain("GET /reset 502");
  expect(stderr).toContain("the connection was closed unexpectedly");
});

test("a service that can't be reached is answered 502", async () => {
  const { url } = await proxyTo("http://127.0.0.1:1");
  expect(await call(url)).toMatchObject({ status: 502, text: "Can't reach 127.0.0.1:1: connection refused (ECONNREFUSED).\n" });
});

test("an idle connection that the service has closed causes no failure", async () => {
  const { url } = await proxyTo((request, response) => {
    response.end("well");
    // The response keeps the connection alive, but it closes a moment later.
    response.on("finish", () => setTimeout(() => request.socket.destroy(), 1));
  });
  for (let count = 0; count < 50; count += 1) expect((await call(url)).status).toBe(200);
});

test.for([
  ["GET", "/reset", 200, 2],
  ["PUT", "/reset", 200, 2],
  ["POST", "/reset", 502, 1],
  ["GET", "/half", 502, 1],
  ["GET", "/always", 502, 2],
] as const)("%s %s on a reused connection is answered %d and sent %d time(s)", async ([method, path, status, times]) => {
  const reused = new WeakSet<object>();
  let sent = 0;
  const { url } = await proxyTo(({ socket, url: asked }, response) => {
    if (asked === path) sent += 1;
    if (asked === "/always" || (asked === "/reset" && reused.has(socket))) return void socket.resetAndDestroy();
    if (asked === "/half") return void socket.write("HTTP/1.1 200 OK\r\nX-Ha", () => setTimeout(() => socket.resetAndDestroy(), 50));
    reused.add(socket);
    response.end("ok");
  });
  expect((await call(url)).status).toBe(200);
  expect((await call(url + path, { method })).status).toBe(status);
  expect(sent).toBe(times);
});

test("a request whose caller goes away isn't sent again", async () => {
  let sent = 0;
  const { url, port } = await proxyTo((request, response) => {
    if (request.url === "/") return void response.end();
    sent += 1;
    caller.destroy();
  });
  await call(url);
  const caller = connect(port, "127.0.0.1");
  caller.write(`GET /never HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  await once(caller, "close");
  await call(url);
  expect(sent).toBe(1);
});

test("a thousand concurrent connections are all answered", async () => {
  const waiting: ServerResponse[] = [];
  const { port } = await proxyTo((_, response) => {
    if (waiting.push(response) === 1000) for (const each of waiting) each.end("well");
  });
  const answers = Array.from({ length: 1000 }, async () => {
    const socket = connect(port, "127.0.0.1");
    socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
    return (await socket.toArray()).join("");
  });
  expect((await Promise.all(answers)).filter((text) => /^HTTP\/1.1 200 [^]*well/.test(text)).length).toBe(1000);
});

test("a body of 64 MiB is forwarded in both directions, no faster than it is read", async () => {
  const SIZE = 64 * 1024 * 1024;
  const chunk = Buffer.alloc(256 * 1024, "x");
  let sent = 0;
  const { url } = await proxyTo(async (request, response) => {
    if (request.method === "PUT") {
      let size = 0;
      for await (const piece of request) size += piece.length;
      return response.end(String(size));
    }
    response.writeHead(200, { "Content-Length": SIZE });
    for (; sent < SIZE; sent += chunk.length) if (!response.write(chunk)) await once(response, "drain");
    return response.end();
  });
  const answer = await begin(url);
  // Sockets and streams buffer a few megabytes.
  for (let before = -1; sent === 0 || sent !== before; await sleep(200)) before = sent;
  expect(sent).toBeLessThan(SIZE / 2);
  let received = 0;
  for await (const piece of answer) received += piece.length;
  expect(received).toBe(SIZE);
  expect((await call(url, { method: "PUT", body: Buffer.alloc(SIZE) })).text).toBe(String(SIZE));
});

test("a slow client is served, and a request that isn't HTTP is answered 400", async () => {
  const { url, port } = await proxyTo((_, response) => response.end("well"));
  const socket = connect(port, "127.0.0.1");
  for (const piece of ["GET / HT", "TP/1.1\r\nHo", `st: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`]) {
    socket.write(piece);
    await sleep(20);
  }
  expect((await socket.toArray()).join("")).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*well/);
  const other = connect(port, "127.0.0.1");
  other.write("nonsense\r\n\r\n");
  expect((await other.toArray()).join("")).toMatch(/^HTTP\/1.1 400 [^]*Malformed HTTP request\.\n$/);
  expect((await call(url)).status).toBe(200);
});

test("when the proxy ends, requests in progress finish, new ones are refused, and the exit code is 0", async () => {
  const arrived: ServerResponse[] = [];
  const { url, stop } = await proxyTo((_, response) => void arrived.push(response));
  const answer = call(`${url}/last`);
  await expect.poll(() => arrived.length).toBe(1);
  const ended = stop();
  const isRefused = () =>
    call(url).then(
      () => false,
      () => true,
    );
  await expect.poll(isRefused).toBe(true);
  arrived[0]?.end("well");
  expect((await answer).text).toBe("well");
  const { exitCode, stderr } = await ended;
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining("GET /last 200")]);
  expect(stderr).toContain("Waiting up to 5 s for 1 request to finish.");
});
