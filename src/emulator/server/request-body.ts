import type { IncomingMessage } from "node:http";
import { invalidArgument } from "./errors.ts";
import { isDeeperThan, isObject } from "./json.ts";

/** JSON requests to Google's APIs are small; uploads are streamed and never buffered. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** Google's limit. */
const MAX_JSON_DEPTH = 100;

/** The body of a request, read once, in the form that the handler needs. */
export class RequestBody {
  readonly #source: IncomingMessage;

  constructor(source: IncomingMessage) {
    this.#source = source;
  }

  /** The bytes as they arrive; fails if the client disconnects before the end. */
  get stream(): IncomingMessage {
    return this.#source;
  }

  /** The whole body, at most 32 MiB. */
  async bytes(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    try {
      for await (const chunk of this.#source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        sizeBytes += chunk.length;
        if (sizeBytes > MAX_BODY_BYTES) throw invalidArgument("Request payload size exceeds the limit: 33554432 bytes.");
        chunks.push(chunk);
      }
    } finally {
      // Discards the rest, so that the client gets to read the response.
      this.#source.resume();
    }
    return Buffer.concat(chunks);
  }

  async text(): Promise<string> {
    return (await this.bytes()).toString("utf8");
  }

  /** The JSON object in the body; an empty body is `{}`, as in Google's APIs. Throws ApiError INVALID_ARGUMENT for anything else. */
  async json(): Promise<Record<string, unknown>> {
    const text = await this.text();
    if (text.trim() === "") return {};
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw invalidArgument("Invalid JSON payload received. Parsing failed.");
    }
    if (!isObject(value)) throw invalidArgument("Invalid JSON payload received. The root element must be an object.");
    if (isDeeperThan(MAX_JSON_DEPTH, value)) throw invalidArgument("Message too deep. Max recursion depth reached.");
    return value;
  }

  /** The fields of an application/x-www-form-urlencoded body. */
  async form(): Promise<URLSearchParams> {
    return new URLSearchParams(await this.text());
  }
}
