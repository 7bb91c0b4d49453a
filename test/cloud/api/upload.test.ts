import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { openApiClient } from "../../../src/cloud/api/client.ts";
import { uploadObject } from "../../../src/cloud/api/upload.ts";
import { createSend } from "../../../src/http/client.ts";
import { openSettings } from "../../../src/settings/settings.ts";
import { folder } from "../../helpers/command-line.ts";
import { failure } from "../../helpers/failure.ts";
import { writeKeyFile } from "../../helpers/key-file.ts";
import { listen } from "../../helpers/listen.ts";

const CHUNK = 256 * 1024;
const PLACE = { project: "my-project", region: "us-central1" };

/** How the server handles one request of an upload. */
interface Trouble {
  /** How many bytes are accepted; all by default. */
  readonly takes?: number;
  /** A wrong response: a status, or none at all. */
  readonly answers?: 308 | 404 | 503 | "nothing";
  /** The bytes that had arrived are lost. */
  readonly loses?: true;
  /** The bytes are stored wrongly. */
  readonly damages?: true;
}

/**
 * Cloud Storage's resumable uploads as Google describes them, with one fault per request, in order.
 * https://cloud.google.com/storage/docs/performing-resumable-uploads
 */
async function openStorage(troubles: readonly (Trouble | undefined)[] = []) {
  const told: string[] = [];
  const left = [...troubles];
  let hash = createHash("md5");
  let arrived = 0;
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    if (request.url === "/token") return response.end('{"access_token":"ya29.x","expires_in":3599}');
    if (request.method === "POST") {
      told.push("begin");
      [arrived, hash] = [0, createHash("md5")];
      return response.writeHead(200, { location: `https://${request.headers.host}${request.url}&upload_id=abc` }).end();
    }
    const range = String(request.headers["content-range"]);
    told.push(range.replace("bytes ", ""));
    const { takes = body.length, answers, loses, damages } = left.shift() ?? {};
    const [, from = arrived, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(range) ?? [];
    const fresh = body.subarray(arrived - Number(from), takes);
    hash.update(damages ? Buffer.alloc(fresh.length) : fresh);
    arrived = loses ? 0 : arrived + fresh.length;
    if (answers === "nothing") return response.destroy();
    if (answers === 404 || answers === 503) return response.writeHead(answers).end();
    const isWhole = String(arrived) === total && answers !== 308;
    if (isWhole) return response.end(JSON.stringify({ generation: "1", md5Hash: hash.copy().digest("base64") }));
    return response.writeHead(308, arrived > 0 ? { range: `bytes=0-${arrived - 1}` } : {}).end();
  });
  const port = await listen(server);
  const env = { CLOUDRUN_OAUTH_EMULATOR: `http://127.0.0.1:${port}`, GOOGLE_APPLICATION_CREDENTIALS: writeKeyFile(), HOME: folder() };
  const { signal } = new AbortController();
  const client = openApiClient(
    { env, settings: openSettings({ flags: {}, env, cwd: env.HOME }), send: createSend({ env, signal }) },
    PLACE,
  );
  return {
    told,
    arrived: () => arrived,
    upload: (open: () => AsyncIterable<Buffer>) =>
      uploadObject(client, { bucket: "b", object: "o" }, open, { place: PLACE, signal, chunkBytes: CHUNK }),
  };
}

/** A stream of bytes that can be opened again, in pieces of various sizes. */
const BYTES = randomBytes(3 * CHUNK);
async function* source(): AsyncGenerator<Buffer> {
  for (let at = 0; at < BYTES.length; at += 100_000) yield BYTES.subarray(at, at + 100_000);
}

const FIRST = "0-262143/*";
const SECOND = "262144-524287/*";
const LAST = "524288-786431/786432";

test("a large source is uploaded in chunks, and no more of it is read than is about to be sent", async () => {
  const storage = await openStorage();
  const piece = randomBytes(64 * 1024);
  let read = 0;
  let ahead = 0;
  await storage.upload(async function* () {
    while (read < 32 * 1024 * 1024) {
      read += piece.length;
      ahead = Math.max(ahead, read - storage.arrived());
      yield piece;
    }
  });
  expect([storage.told.length, storage.arrived()]).toEqual([129, read]);
  expect(ahead).toBeLessThanOrEqual(CHUNK + piece.length);
});

/** The faults, and the requests that are sent. */
test.for<readonly [string, readonly (Trouble | undefined)[], readonly string[]]>([
  ["nothing fails", [], [FIRST, SECOND, LAST]],
  ["a chunk is rejected", [{ takes: 0, answers: 503 }], [FIRST, "*/*", FIRST, SECOND, LAST]],
  ["a chunk doesn't arrive", [undefined, { takes: 0, answers: "nothing" }], [FIRST, SECOND, "*/*", SECOND, LAST]],
  ["half of a chunk arrives", [undefined, { takes: CHUNK / 2 }], [FIRST, SECOND, "393216-524287/*", LAST]],
  [
    "half of a chunk arrives, and the connection ends",
    [undefined, { takes: CHUNK / 2, answers: "nothing" }],
    [FIRST, SECOND, "*/*", "393216-524287/*", LAST],
  ],
  ["a response gets lost", [{ answers: "nothing" }], [FIRST, "*/*", SECOND, LAST]],
  ["the last response gets lost", [undefined, undefined, { answers: "nothing" }], [FIRST, SECOND, LAST, "*/786432"]],
  ["the last response asks for more", [undefined, undefined, { answers: 308 }], [FIRST, SECOND, LAST, "*/786432"]],
  [
    "the request for the status is rejected too",
    [{ takes: 0, answers: 503 }, { answers: 503 }],
    [FIRST, "*/*", "*/*", FIRST, SECOND, LAST],
  ],
  ["the session has expired", [undefined, { answers: 404 }], [FIRST, SECOND, "begin", FIRST, SECOND, LAST]],
  ["the stored bytes are wrong", [{ damages: true }], [FIRST, SECOND, LAST, "begin", FIRST, SECOND, LAST]],
  ["the stored bytes are lost", [undefined, { loses: true }], [FIRST, SECOND, "begin", FIRST, SECOND, LAST]],
])("an upload is completed if %s", async ([, troubles, requests]) => {
  const { told, upload } = await openStorage(troubles);
  const md5Hash = createHash("md5").update(BYTES).digest("base64");
  expect(await upload(source)).toEqual({ generation: "1", md5Hash });
  expect(told).toEqual(["begin", ...requests]);
});

test("an upload that can't be completed is an error", async () => {
  const never = await openStorage(Array.from({ length: 9 }, () => ({ answers: 404 as const })));
  expect(await failure(never.upload(source))).toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining("lost the upload"),
  });
  expect(never.told.filter((request) => request === "begin")).toHaveLength(3);
  const still = await openStorage(Array.from({ length: 20 }, () => ({ takes: 0 })));
  expect(await failure(still.upload(source))).toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining("rejected the upload"),
  });
});
