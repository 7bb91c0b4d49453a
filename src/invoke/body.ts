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

/** Larger bodies are sent while they are read, and their type isn't detected. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/**
 * The body for `-d`: text, `@FILE`, or `@-` for standard input. Its type is application/json for a JSON object or array, text/plain for
 * other text, else application/octet-stream. Throws CliError NOT_FOUND, USAGE.
 */
export async function readBody(data: string, source: BodySource): Promise<CallBody> {
  return createBody(await openData(data, source));
}

/** The body for `--json-data`: as for `-d`, but JSON. Throws CliError NOT_FOUND, USAGE; errors never quote the text. */
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
    throw new CliError("USAGE", `--json-data isn't valid JSON${position ? ` (character ${Number(position) + 1})` : ""}.`, {
      hint: "To send other data, use --data.",
    });
  }
  return { body, headers: [["Content-Type", "application/json"]] };
}

async function openData(data: string, { cwd, stdin }: BodySource): Promise<Input> {
  if (data === "@-") return { chunks: stdin };
  if (data.startsWith("@")) return openInput(resolve(cwd, data.slice(1)));
  return { chunks: Readable.from([Buffer.from(data)]) };
}

/** Creates a body: a buffer if it is small, so that it can be sent again. Its type is detected unless given. */
export async function createBody({ chunks: source, sizeBytes }: Input, type?: string): Promise<CallBody> {
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
  const length: Headers = sizeBytes === undefined ? [] : [["Content-Length", String(sizeBytes)]];
  return { body: Readable.from(all(), { objectMode: false }), headers: [["Content-Type", type ?? "application/octet-stream"], ...length] };
}

function typeOf(body: Buffer): string {
  if (!isUtf8(body)) return "application/octet-stream";
  const text = body.toString("utf8");
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return "application/json";
  } catch {
    // Not JSON.
  }
  return "text/plain; charset=utf-8";
}
