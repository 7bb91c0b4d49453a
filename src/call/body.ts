import { isUtf8 } from "node:buffer";
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import type { Headers } from "./headers.ts";

export interface CallBody {
  readonly body: Buffer | Readable;
  readonly headers: Headers;
}

/** Bytes; what is larger is sent as it is read, and not looked into. */
const LOOKED_INTO = 1024 * 1024;

/**
 * The body for `-d`: text, `@FILE`, or `@-` for standard input, and what it is: application/json where it is a JSON object or array,
 * text/plain where it is other text, else application/octet-stream. Throws CliError NOT_FOUND, USAGE.
 */
export async function readBody(data: string, { cwd, stdin }: Pick<Context, "cwd" | "stdin">): Promise<CallBody> {
  if (!data.startsWith("@")) return whole(Buffer.from(data));
  if (data === "@-") return peek(stdin as AsyncIterable<Buffer>);
  const path = resolve(cwd, data.slice(1));
  try {
    const file = await open(path);
    const stats = await file.stat();
    if (stats.isDirectory()) {
      await file.close();
      throw new CliError("USAGE", `${path} is a folder.`);
    }
    return await peek(file.createReadStream(), stats.isFile() ? stats.size : undefined);
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") throw new CliError("NOT_FOUND", `There is no file ${path} to send.`);
    throw new CliError("USAGE", `${path} cannot be read: ${message}.`);
  }
}

async function peek(source: AsyncIterable<Buffer | string>, size?: number): Promise<CallBody> {
  const chunks = source[Symbol.asyncIterator]();
  const read: Buffer[] = [];
  for (let length = 0; length <= LOOKED_INTO;) {
    const { done, value } = await chunks.next();
    if (done) return whole(Buffer.concat(read));
    read.push(Buffer.from(value));
    length += value.length;
  }
  async function* all() {
    yield* read;
    yield* { [Symbol.asyncIterator]: () => chunks };
  }
  const length: Headers = size === undefined ? [] : [["Content-Length", String(size)]];
  return { body: Readable.from(all(), { objectMode: false }), headers: [["Content-Type", "application/octet-stream"], ...length] };
}

function whole(body: Buffer): CallBody {
  return { body, headers: [["Content-Type", typeOf(body)]] };
}

function typeOf(body: Buffer): string {
  if (!isUtf8(body)) return "application/octet-stream";
  const text = body.toString("utf8");
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return "application/json";
  } catch {
    // Not JSON, then.
  }
  return "text/plain; charset=utf-8";
}
