import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { openTestState, reopenState, temporaryDirectory } from "../../helpers/api-server.ts";
import { blobs, HOST, serveBucket } from "../../helpers/storage.ts";

test("a resumable upload continues in chunks, after an interruption and in another run of the emulator", async () => {
  const directory = temporaryDirectory();
  const bytes = randomBytes(3 * 262144 + 1000);
  const first = await serveBucket(openTestState(directory));
  const start = await first.request("POST", HOST, "/resumable/upload/storage/v1/b/stuff/o?uploadType=resumable", {
    body: { name: "big" },
    headers: { "x-upload-content-type": "application/x-tar" },
  });
  const location = new URL(start.headers.location ?? "");
  const path = `${location.pathname}${location.search}`;
  expect(location.host).toBe(HOST);

  const query = { headers: { "content-range": `bytes */${bytes.length}` } };
  const untouched = await first.request("PUT", HOST, path, query);
  expect([untouched.status, untouched.headers.range]).toEqual([308, undefined]);
  const chunk = await first.request("PUT", HOST, path, {
    body: bytes.subarray(0, 262144),
    headers: { "content-range": "bytes 0-262143/*" },
  });
  expect([chunk.status, chunk.headers.range]).toEqual([308, "bytes=0-262143"]);
  const early = await first.request("PUT", HOST, path, { body: Buffer.alloc(10), headers: { "content-range": "bytes 600000-600009/*" } });
  expect(early.json["error"].message).toContain(
    "the upload offset is 600000 byte(s), which exceeds already uploaded size of 262144 byte(s)",
  );
  await first.close();
  first.state.close();

  const state = reopenState(directory);
  const second = await serveBucket(state);
  const where = await second.request("PUT", HOST, path, query);
  expect([where.status, where.headers.range]).toEqual([308, "bytes=0-262143"]);
  // An unsure client sends bytes again.
  const rest = await second.request("PUT", HOST, path, {
    body: bytes.subarray(100_000),
    headers: { "content-range": `bytes 100000-${bytes.length - 1}/${bytes.length}` },
  });
  expect(rest.json).toMatchObject({
    name: "big",
    contentType: "application/x-tar",
    size: String(bytes.length),
    md5Hash: createHash("md5").update(bytes).digest("base64"),
  });
  expect((await second.request("GET", HOST, "/stuff/big")).bytes.equals(bytes)).toBe(true);
  // The response can get lost.
  expect((await second.request("PUT", HOST, path, query)).json).toEqual(rest.json);
  expect(blobs(state)).toHaveLength(1);
});

test("a resumable upload works in one request, without bytes, and can be cancelled", async () => {
  const server = await serveBucket();
  const start = async (name: string) => {
    const { headers } = await server.request("POST", HOST, `/upload/storage/v1/b/stuff/o?uploadType=resumable&name=${name}`, {});
    return (headers.location ?? "").replace(`https://${HOST}`, "");
  };
  expect((await server.request("PUT", HOST, await start("one"), { body: "all of it", token: "" })).json).toMatchObject({ size: "9" });
  expect((await server.request("PUT", HOST, await start("none"), { headers: { "content-range": "bytes */0" } })).json).toMatchObject({
    size: "0",
  });
  const given = await start("up");
  await server.request("PUT", HOST, given, { body: "part", headers: { "content-range": "bytes 0-3/10" } });
  expect((await server.request("DELETE", HOST, given)).status).toBe(499);
  expect((await server.request("PUT", HOST, given, { headers: { "content-range": "bytes */10" } })).status).toBe(404);
  expect((await server.request("PUT", HOST, "/upload/storage/v1/b/stuff/o?upload_id=none", { body: "x" })).status).toBe(404);
  expect(blobs(server.state)).toHaveLength(2);
});
