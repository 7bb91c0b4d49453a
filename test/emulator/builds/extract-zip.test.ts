import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { extractZip } from "../../../src/emulator/builds/extract-zip.ts";
import { temporaryDirectory } from "../../helpers/api-server.ts";

interface File {
  readonly name: string;
  readonly text?: string;
  readonly mode?: number;
  readonly deflated?: boolean;
}

/** A zip archive as in APPNOTE.TXT, without checksums, which the reader ignores. */
function zip(files: readonly File[], comment = ""): Buffer {
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const { name, text = "", mode = 0o100644, deflated = true } of files) {
    const packed = deflated ? deflateRawSync(text) : Buffer.from(text);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(deflated ? 8 : 0, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(text.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE((mode << 16) >>> 0, 38);
    entry.writeUInt32LE(offset, 42);
    locals.push(local, Buffer.from(name), packed);
    entries.push(entry, Buffer.from(name));
    offset += 30 + name.length + packed.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end, Buffer.from(comment)]);
}

async function unpack(bytes: Buffer): Promise<string> {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, "source.zip"), bytes);
  await extractZip(join(folder, "source.zip"), join(folder, "out"));
  return join(folder, "out");
}

test("files are extracted with their folders, bytes and executable bits", async () => {
  const long = "deflate me ".repeat(10_000);
  const out = await unpack(
    zip(
      [
        { name: "Dockerfile", text: "FROM node", deflated: false },
        { name: "sub/" },
        { name: "sub/run.sh", text: long, mode: 0o100755 },
        { name: "empty", deflated: false },
      ],
      "a comment",
    ),
  );
  expect(readdirSync(out).sort()).toEqual(["Dockerfile", "empty", "sub"]);
  expect(readFileSync(join(out, "Dockerfile"), "utf8")).toBe("FROM node");
  expect(readFileSync(join(out, "sub", "run.sh"), "utf8")).toBe(long);
  expect(statSync(join(out, "sub", "run.sh")).mode & 0o111).not.toBe(0);
  expect(statSync(join(out, "empty")).size).toBe(0);
});

test.for<[string, Buffer, string]>([
  ["is none", Buffer.from("hello"), "isn't a valid zip archive"],
  ["is cut off", zip([{ name: "x", text: "content" }]).subarray(0, -10), "isn't a valid zip archive"],
  ["leads out of its folder", zip([{ name: "../evil", text: "x" }]), "is outside of the source's folder"],
  ["has an absolute path", zip([{ name: "/tmp/evil", text: "x" }]), "is outside of the source's folder"],
  ["has a symbolic link", zip([{ name: "link", text: "/etc/passwd", mode: 0o120777 }]), "is a symbolic link"],
  [
    "has a file twice",
    zip([
      { name: "x", text: "1" },
      { name: "x", text: "2" },
    ]),
    "EEXIST",
  ],
])("an archive that %s is rejected", async ([, bytes, message]) => {
  await expect(unpack(bytes)).rejects.toThrow(message);
});
