import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { openTestState, PROJECT, PROJECT_NUMBER, reopenState, signIn, temporaryDirectory, TOKEN } from "../../helpers/api-server.ts";
import { blobs, HOST, put, serveBucket } from "../../helpers/storage.ts";

test("a bucket is created once, returned, listed, and deleted when empty", async () => {
  const server = await serveBucket();
  expect((await server.request("POST", HOST, `/storage/v1/b?project=${PROJECT}`, { body: { name: "mine" } })).status).toBe(200);
  expect(await server.request("GET", HOST, "/storage/v1/b/mine").then(({ json }) => json)).toMatchObject({
    kind: "storage#bucket",
    id: "mine",
    projectNumber: PROJECT_NUMBER,
    location: "US",
    locationType: "multi-region",
  });
  const again = await server.request("POST", HOST, `/storage/v1/b?project=${PROJECT}`, { body: { name: "mine" } });
  const message = "Your previous request to create the named bucket succeeded and you already own it.";
  expect(again.json).toEqual({ error: { code: 409, message, errors: [{ message, domain: "global", reason: "conflict" }] } });
  // gcloud asks in this way whether the bucket is its project's own.
  const list = await server.request("GET", HOST, `/storage/v1/b?project=${PROJECT}&prefix=mine`);
  expect(list.json["items"].map(({ id }: { id: string }) => id)).toEqual(["mine"]);

  await put(server, "one", "1");
  expect((await server.request("DELETE", HOST, "/storage/v1/b/stuff")).json["error"].message).toBe(
    "The bucket you tried to delete is not empty.",
  );
  await server.request("DELETE", HOST, "/storage/v1/b/stuff/o/one");
  expect((await server.request("DELETE", HOST, "/storage/v1/b/stuff")).status).toBe(204);
  expect((await server.request("GET", HOST, "/storage/v1/b/stuff")).json["error"]).toMatchObject({
    code: 404,
    message: "The specified bucket does not exist.",
  });
});

test.for(["UPPER", "a", "-dash", "a..b", "has space"])("the bucket name %s is refused", async (name) => {
  const server = await serveBucket();
  const { json } = await server.request("POST", HOST, `/storage/v1/b?project=${PROJECT}`, { body: { name } });
  expect(json["error"]).toMatchObject({ code: 400, message: `Invalid bucket name: '${name}'` });
});

test("a caller without the permission is refused, and one without a credential too", async () => {
  const server = await serveBucket();
  signIn(server.state, "nobody@demo-project.iam.gserviceaccount.com", "ya29.nobody");
  expect((await server.request("GET", HOST, "/storage/v1/b/stuff", { token: "ya29.nobody" })).status).toBe(403);
  expect((await server.request("GET", HOST, "/stuff/x", { token: "ya29.nobody" })).status).toBe(403);
  expect((await server.request("GET", HOST, "/storage/v1/b/stuff", { token: "" })).status).toBe(401);
});

test.for(["\n", "\r\n"])("a multipart upload with %j for a line end is stored with its checksums", async (line) => {
  const server = await serveBucket();
  const media = Buffer.concat([randomBytes(300_000), Buffer.from("\r")]);
  const part = (type: string) => `--===1==${line}Content-Type: ${type}${line}MIME-Version: 1.0${line}${line}`;
  const head = `${part("application/json")}{"bucket": "stuff", "name": "source/1.tgz"}${line}${part("application/x-tar")}`;
  const body = Buffer.concat([Buffer.from(head), media, Buffer.from(`${line}--===1==--`)]);
  const answer = await server.request("POST", HOST, "/upload/storage/v1/b/stuff/o?alt=json&name=source%2F1.tgz&uploadType=multipart", {
    body: Readable.from([body]),
    headers: { "content-type": 'multipart/related; boundary="===1=="' },
  });
  expect(answer.json).toMatchObject({
    kind: "storage#object",
    bucket: "stuff",
    name: "source/1.tgz",
    contentType: "application/x-tar",
    size: "300001",
    md5Hash: createHash("md5").update(media).digest("base64"),
    generation: expect.stringMatching(/^\d{16}$/),
  });
  const download = await server.request("GET", HOST, "/storage/v1/b/stuff/o/source%2F1.tgz?alt=media");
  expect(download.headers["content-length"]).toBe("300001");
  expect(download.bytes.equals(media)).toBe(true);
  expect((await server.request("GET", HOST, "/download/storage/v1/b/stuff/o/source%2F1.tgz?alt=media")).bytes.equals(media)).toBe(true);
  expect((await server.request("GET", HOST, "/stuff/source/1.tgz")).bytes.equals(media)).toBe(true);
});

test("the checksums of an object are base64 of big-endian CRC-32C and of MD5", async () => {
  const server = await serveBucket();
  expect((await put(server, "digits", "123456789")).json).toMatchObject({
    crc32c: "4waSgw==",
    md5Hash: "JfnnlDI7RTiF9RgfG2JNCw==",
    size: "9",
  });
  expect((await put(server, "nothing", "")).json).toMatchObject({ crc32c: "AAAAAA==", md5Hash: "1B2M2Y8AsgTpgAmY7PhCfg==", size: "0" });
  expect((await server.request("GET", HOST, "/stuff/nothing")).status).toBe(200);
});

test("both APIs answer a range with 206, and one past the end with 416 in their own words", async () => {
  const server = await serveBucket();
  await put(server, "log.txt", "0123456789");
  for (const path of ["/stuff/log.txt", "/storage/v1/b/stuff/o/log.txt?alt=media"]) {
    const part = await server.request("GET", HOST, path, { headers: { range: "bytes=4-" } });
    expect([part.status, part.text]).toEqual([206, "456789"]);
    expect(part.headers).toMatchObject({ "content-range": "bytes 4-9/10", "content-length": "6" });
    expect((await server.request("GET", HOST, path, { headers: { range: "bytes=10-" } })).status).toBe(416);
  }
  expect((await server.request("GET", HOST, "/stuff/none.txt")).text).toContain("<Code>NoSuchKey</Code>");
  expect((await server.request("GET", HOST, "/none/log.txt")).text).toContain("<Code>NoSuchBucket</Code>");
  expect((await server.request("GET", HOST, "/storage/v1/b/stuff/o/none")).json["error"]).toMatchObject({
    code: 404,
    message: "No such object: stuff/none",
  });
});

test("the list of objects applies prefix, delimiter, maxResults and pageToken", async () => {
  const server = await serveBucket();
  for (const name of ["a/1", "a/2", "a/b/3", "a/b/4", "a/c/5", "z"]) await put(server, name, name);
  const names = async (query: string) => {
    const found: string[] = [];
    for (let token = ""; ;) {
      const { json } = await server.request("GET", HOST, `/storage/v1/b/stuff/o?${query}&pageToken=${token}`);
      found.push(...json["items"].map(({ name }: { name: string }) => name), ...(json["prefixes"] ?? []));
      token = json["nextPageToken"] ?? "";
      if (token === "") return found;
    }
  };
  expect(await names("")).toEqual(["a/1", "a/2", "a/b/3", "a/b/4", "a/c/5", "z"]);
  expect(await names("prefix=a/&delimiter=/")).toEqual(["a/1", "a/2", "a/b/", "a/c/"]);
  expect(await names("prefix=a/&delimiter=/&maxResults=1")).toEqual(["a/1", "a/2", "a/b/", "a/c/"]);
  expect(await names("maxResults=4")).toEqual(["a/1", "a/2", "a/b/3", "a/b/4", "a/c/5", "z"]);
});

test("an object that is replaced or deleted leaves no bytes behind, and has a new generation", async () => {
  const server = await serveBucket();
  const first = (await put(server, "x", "first")).json;
  const second = (await put(server, "x", "second")).json;
  expect(Number(second["generation"])).toBeGreaterThan(Number(first["generation"]));
  expect(blobs(server.state)).toHaveLength(1);
  expect((await put(server, "x", "third", "&ifGenerationMatch=0")).status).toBe(412);
  expect((await server.request("GET", HOST, `/storage/v1/b/stuff/o/x?generation=${first["generation"]}`)).status).toBe(404);
  expect((await server.request("GET", HOST, "/stuff/x")).text).toBe("second");
  expect((await server.request("DELETE", HOST, "/storage/v1/b/stuff/o/x")).status).toBe(204);
  expect(blobs(server.state)).toEqual([]);
});

test("an interrupted upload leaves nothing behind, and the server continues", async () => {
  const server = await serveBucket();
  await put(server, "x", "whole");
  await new Promise<void>((resolve) => {
    const headers = { host: HOST, authorization: `Bearer ${TOKEN}`, "content-length": "1000000" };
    const path = "/upload/storage/v1/b/stuff/o?uploadType=media&name=x";
    const request = httpRequest({ host: "127.0.0.1", port: server.port, method: "POST", path, headers });
    request.on("error", () => resolve());
    request.write(Buffer.alloc(300_000), () => setTimeout(() => request.destroy(), 50));
  });
  await expect.poll(() => blobs(server.state).length).toBe(1);
  expect((await server.request("GET", HOST, "/stuff/x")).text).toBe("whole");
});

test("a large body with an invalid head gets a response, although the rest isn't read", async () => {
  const server = await serveBucket();
  const answer = await server.request("POST", HOST, "/upload/storage/v1/b/stuff/o?uploadType=multipart&name=x", {
    body: Readable.from(Array.from({ length: 200 }, () => Buffer.alloc(65536))),
    headers: { "content-type": "multipart/related; boundary=b" },
  });
  expect([answer.status, answer.json["error"].message]).toEqual([400, "Malformed multipart body: the metadata part is too long."]);
  expect(blobs(server.state)).toEqual([]);
});

test("orphaned files are removed at the start, and others are kept", async () => {
  const directory = temporaryDirectory();
  const first = await serveBucket(openTestState(directory));
  await put(first, "x", "kept");
  await first.close();
  const [kept] = blobs(first.state);
  first.state.close();
  writeFileSync(join(directory, "objects", "stray"), "half of an upload");

  const state = reopenState(directory);
  await serveBucket(state);
  expect(blobs(state)).toEqual([kept]);
});
