import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import type { CallBody } from "../../src/invoke/body.ts";
import { readForm, readUrlencoded } from "../../src/invoke/form.ts";
import { temporaryDirectory } from "../helpers/api-server.ts";
import { failure } from "../helpers/failure.ts";

/** The form as another implementation parses it. */
async function parse({ body, headers }: CallBody): Promise<FormData> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.concat(await body.toArray());
  const length = headers.find(([name]) => name === "Content-Length")?.[1];
  if (length !== undefined) expect(bytes).toHaveLength(Number(length));
  return new Response(new Uint8Array(bytes), { headers: { "Content-Type": headers[0]?.[1] ?? "" } }).formData();
}

test("fields of a form are encoded, even if a name is repeated", () => {
  const { body, headers } = readUrlencoded(["a=1 & 2", "a=grüße=x", "b="]);
  expect(headers).toEqual([["Content-Type", "application/x-www-form-urlencoded"]]);
  expect([...new URLSearchParams(String(body))]).toEqual([
    ["a", "1 & 2"],
    ["a", "grüße=x"],
    ["b", ""],
  ]);
});

test("fields and files arrive with their names, types and bytes", async () => {
  const cwd = temporaryDirectory();
  const bytes = Buffer.from([0, 13, 10, 45, 45, 255]);
  writeFileSync(join(cwd, 'a"b;type=.bin'), bytes);
  const form = await parse(await readForm(["title=two\r\nlines", 'f=@a"b;type=.bin', 'f=@a"b;type=.bin;type=image/png'], { cwd }));
  expect(form.get("title")).toBe("two\r\nlines");
  const files = form.getAll("f") as File[];
  expect(files.map(({ name, type }) => [name, type])).toEqual([
    ['a"b;type=.bin', "application/octet-stream"],
    ['a"b;type=.bin', "image/png"],
  ]);
  for (const file of files) expect(Buffer.from(await file.arrayBuffer()).equals(bytes)).toBe(true);
});

test("a small form is buffered, so that it can be sent again; a large one is streamed with its length", async () => {
  const cwd = temporaryDirectory();
  writeFileSync(join(cwd, "small"), "x");
  const large = Buffer.alloc(3 * 1024 * 1024, "abc");
  writeFileSync(join(cwd, "large"), large);
  expect((await readForm(["f=@small"], { cwd })).body).toBeInstanceOf(Buffer);
  const read = await readForm(["f=@large", "g=1"], { cwd });
  expect(read.body).toBeInstanceOf(Readable);
  expect(read.headers.map(([name]) => name)).toEqual(["Content-Type", "Content-Length"]);
  const form = await parse(read);
  expect(Buffer.from(await (form.get("f") as File).arrayBuffer()).equals(large)).toBe(true);
  expect(form.get("g")).toBe("1");
});

test.for([
  ["no equals sign", "USAGE"],
  ["=value", "USAGE"],
  ["f=@none", "NOT_FOUND"],
  ["f=@.", "USAGE"],
] as const)("-F %j is rejected", async ([field, code]) => {
  expect(await failure(readForm([field], { cwd: temporaryDirectory() }))).toMatchObject({ code });
});
