import { createWriteStream } from "node:fs";
import { mkdir, open, type FileHandle } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";

// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16
const END_SIGNATURE = 0x06054b50;
const END_RECORD_BYTES = 22;
const ENTRY_SIGNATURE = 0x02014b50;
const ENTRY_HEADER_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
const MAX_COMMENT_BYTES = 0xffff;
const STORED = 0;
const DEFLATED = 8;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly isEncrypted: boolean;
  readonly compressedSize: number;
  readonly size: number;
  readonly mode: number;
  readonly offset: number;
}

/**
 * Extracts a zip archive into a folder. Throws an Error if the file isn't a zip archive, is cut off, encrypted or larger than 4 GiB, or has
 * an entry that is a symbolic link or leads out of the folder.
 */
export async function extractZip(file: string, folder: string): Promise<void> {
  const archive = await open(file, "r");
  try {
    for (const entry of await readEntries(archive)) await extractEntry(archive, entry, folder);
  } finally {
    await archive.close();
  }
}

async function readEntries(archive: FileHandle): Promise<Entry[]> {
  const { size } = await archive.stat();
  const tail = await readBytes(
    archive,
    Math.max(0, size - END_RECORD_BYTES - MAX_COMMENT_BYTES),
    Math.min(size, END_RECORD_BYTES + MAX_COMMENT_BYTES),
  );
  let end = tail.length - END_RECORD_BYTES;
  while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end -= 1;
  if (end < 0) throw new Error("the source isn't a valid zip archive");
  const directory = await readBytes(archive, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));

  const entries: Entry[] = [];
  for (let at = 0; at < directory.length;) {
    if (directory.length - at < ENTRY_HEADER_BYTES || directory.readUInt32LE(at) !== ENTRY_SIGNATURE)
      throw new Error("the zip archive's directory isn't valid");
    const nameEnd = at + ENTRY_HEADER_BYTES + directory.readUInt16LE(at + 28);
    entries.push({
      name: directory.toString("utf8", at + ENTRY_HEADER_BYTES, nameEnd),
      method: directory.readUInt16LE(at + 10),
      isEncrypted: (directory.readUInt16LE(at + 8) & 1) === 1,
      compressedSize: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      mode: directory.readUInt32LE(at + 38) >>> 16,
      offset: directory.readUInt32LE(at + 42),
    });
    at = nameEnd + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

async function extractEntry(archive: FileHandle, entry: Entry, folder: string): Promise<void> {
  const { name, method, compressedSize, size, mode, offset } = entry;
  const path = resolve(folder, name);
  if (path !== resolve(folder) && !path.startsWith(resolve(folder) + sep))
    throw new Error(`the entry ${name} is outside of the source's folder`);
  if ((mode & 0o170000) === 0o120000) throw new Error(`the entry ${name} is a symbolic link, which isn't supported`);
  if (name.endsWith("/")) return void (await mkdir(path, { recursive: true }));
  if (entry.isEncrypted || ![STORED, DEFLATED].includes(method) || [compressedSize, size, offset].includes(0xffffffff)) {
    throw new Error(`the entry ${name} is encrypted, larger than 4 GiB, or has an unsupported compression`);
  }
  await mkdir(dirname(path), { recursive: true });
  const local = await readBytes(archive, offset, LOCAL_HEADER_BYTES);
  const start = offset + LOCAL_HEADER_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  const target = createWriteStream(path, { mode: mode & 0o100 ? 0o755 : 0o644, flags: "wx" });
  const packed = compressedSize === 0 ? [] : archive.createReadStream({ start, end: start + compressedSize - 1, autoClose: false });
  await (method === DEFLATED ? pipeline(packed, createInflateRaw(), target) : pipeline(packed, target));
  if (target.bytesWritten !== size) throw new Error(`the entry ${name} has ${target.bytesWritten} bytes instead of ${size}`);
}

async function readBytes(archive: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await archive.read(buffer, 0, length, position);
  if (bytesRead < length) throw new Error("the zip archive is truncated");
  return buffer;
}
