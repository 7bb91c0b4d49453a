import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { readBody, readJsonBody } from "../../src/invoke/body.ts";
import { temporaryDirectory } from "../helpers/api-server.ts";

const nothing = Readable.from([]);

async function bytesOf(body: Buffer | Readable): Promise<Buffer> {
  return Buffer.isBuffer(body) ? body : Buffer.concat(await body.toArray());
}

test.for([
  ['{"a": 1}', "application/json"],
  [" [1] ", "application/json"],
  ["1", "text/plain; charset=utf-8"],
  ["a=b&c=d", "text/plain; charset=utf-8"],
  ["", "text/plain; charset=utf-8"],
] as const)("-d %j is sent unchanged, as %s", async ([data, type]) => {
  expect(await readBody(data, { cwd: "/", stdin: nothing })).toEqual({ body: Buffer.from(data), headers: [["Content-Type", type]] });
});

test("@FILE is relative to the folder, and its content decides the type whatever its name", async () => {
  const cwd = temporaryDirectory();
  writeFileSync(join(cwd, "data"), '{"a":1}\n');
  writeFileSync(join(cwd, "image"), Buffer.from([0xff, 0xfe, 0]));
  expect(await readBody("@data", { cwd, stdin: nothing })).toEqual({
    body: Buffer.from('{"a":1}\n'),
    headers: [["Content-Type", "application/json"]],
  });
  expect((await readBody("@image", { cwd, stdin: nothing })).headers).toEqual([["Content-Type", "application/octet-stream"]]);
});

test("a large file is streamed with its length", async () => {
  const cwd = temporaryDirectory();
  const content = Buffer.alloc(3 * 1024 * 1024 + 1, "abc");
  writeFileSync(join(cwd, "large"), content);
  const { body, headers } = await readBody("@large", { cwd, stdin: nothing });
  expect(headers).toEqual([
    ["Content-Type", "application/octet-stream"],
    ["Content-Length", String(content.length)],
  ]);
  expect(body).toBeInstanceOf(Readable);
  expect((await bytesOf(body)).equals(content)).toBe(true);
});

test("@- is standard input of any size", async () => {
  expect(await readBody("@-", { cwd: "/", stdin: Readable.from([Buffer.from('{"a"'), Buffer.from(":1}")]) })).toEqual({
    body: Buffer.from('{"a":1}'),
    headers: [["Content-Type", "application/json"]],
  });
  const chunk = Buffer.alloc(700_000, "x");
  const { body, headers } = await readBody("@-", { cwd: "/", stdin: Readable.from([chunk, chunk, chunk]) });
  expect(headers).toEqual([["Content-Type", "application/octet-stream"]]);
  expect((await bytesOf(body)).equals(Buffer.concat([chunk, chunk, chunk]))).toBe(true);
});

test("@FILE can be a pipe", async () => {
  const cwd = temporaryDirectory();
  execFileSync("mkfifo", [join(cwd, "pipe")]);
  const writer = spawn("sh", ["-c", 'printf "[1]" > pipe'], { cwd, stdio: "ignore" });
  expect((await readBody("@pipe", { cwd, stdin: nothing })).body).toEqual(Buffer.from("[1]"));
  await new Promise((resolve) => (writer.exitCode === null ? writer.once("exit", resolve) : resolve(undefined)));
});

test("a missing file and a folder are rejected", async () => {
  const cwd = temporaryDirectory();
  await expect(readBody("@none", { cwd, stdin: nothing })).rejects.toMatchObject({ code: "NOT_FOUND", exitCode: 4 });
  await expect(readBody("@.", { cwd, stdin: nothing })).rejects.toMatchObject({ code: "USAGE", message: `${cwd} is a folder.` });
});

test("--json-data is sent as it is written, as JSON", async () => {
  const cwd = temporaryDirectory();
  writeFileSync(join(cwd, "large"), JSON.stringify("x".repeat(2_000_000)));
  const { body, headers } = await readJsonBody('{"big": 12345678901234567890}', { cwd, stdin: nothing });
  expect([String(body), headers]).toEqual(['{"big": 12345678901234567890}', [["Content-Type", "application/json"]]]);
  expect(await readJsonBody("@large", { cwd, stdin: nothing })).toMatchObject({ body: expect.any(Buffer) });
  expect(String((await readJsonBody("@-", { cwd, stdin: Readable.from(["1", "2"]) })).body)).toBe("12");
});

test.for(["", "{secret}", '{"a": "secret",}', "secret".repeat(100)])("--json-data %j is rejected and not quoted", async (data) => {
  const refused = readJsonBody(data, { cwd: "/", stdin: nothing });
  await expect(refused).rejects.toMatchObject({ code: "USAGE", message: expect.not.stringContaining("secret") });
});

test.skipIf(process.platform !== "linux")("a file that exists but can't be read is rejected with the reason", async () => {
  // Not even root can read this.
  await expect(readBody("@/proc/self/mem", { cwd: "/", stdin: nothing })).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringMatching(/^Can't read \/proc\/self\/mem: /),
  });
});
