import { isUtf8 } from "node:buffer";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { CliError } from "../errors/cli-error.ts";
import type { Headers } from "./headers.ts";
import { openInput, type BodySource, type Input } from "./input-file.ts";

export interface CallBody {
  readonly body: Buffer | Readable;
  readonly headers: Headers;
}

/** Bytes; what is larger is sent as it is read, and not looked into. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/**
 * The body for `-d`: text, `@FILE`, or `@-` for standard input, and what it is: application/json where it is a JSON object or array,
 * text/plain where it is other text, else application/octet-stream. Throws CliError NOT_FOUND, USAGE.
 */
export async function readBody(data: string, source: BodySource): Promise<CallBody> {
  return createBody(await openData(data, source));
}

/** The body for `--json-data`: as `-d` names it, and JSON. Throws CliError NOT_FOUND, USAGE; what is said of the text shows nothing of it. */
export async function readJsonBody(data: string, source: BodySource): Promise<CallBody> {
  const body = Buffer.concat(
    await Readable.from((await openData(data, source)).chunks)
      .map((chunk) => Buffer.from(chunk))
      .toArray(),
  );
  try {
    JSON.parse(body.toString("utf8"));
  } catch (error) {
    const [, position] = /position (\d+)/.exec((error as Error).message) ?? [];
    throw new CliError("USAGE", `What --json-data names is no JSON${position ? `, from character ${Number(position) + 1} on` : ""}.`, {
      hint: "What need not be JSON is sent with -d.",
    });
  }
  return { body, headers: [["Content-Type", "application/json"]] };
}

async function openData(data: string, { cwd, stdin }: BodySource): Promise<Input> {
  if (data === "@-") return { chunks: stdin };
  if (data.startsWith("@")) return openInput(resolve(cwd, data.slice(1)));
  return { chunks: Readable.from([Buffer.from(data)]) };
}

/** A body of what is read: whole where it is small, and then it can be sent again. Its type is what it looks like unless it is said. */
export async function createBody({ chunks: source, size }: Input, type?: string): Promise<CallBody> {
  const chunks = source[Symbol.asyncIterator]();
  const read: Buffer[] = [];
  for (let length = 0; length <= MAX_BUFFERED_BYTES;) {
    const { done, value } = await chunks.next();
    if (done) {
      const body = Buffer.concat(read);
      return { body, headers: [["Content-Type", type ?? typeOf(body)]] };
    }
    read.push(Buffer.from(value));
    length += value.length;
  }
  async function* all() {
    yield* read;
    yield* { [Symbol.asyncIterator]: () => chunks };
  }
  const length: Headers = size === undefined ? [] : [["Content-Length", String(size)]];
  return { body: Readable.from(all(), { objectMode: false }), headers: [["Content-Type", type ?? "application/octet-stream"], ...length] };
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
