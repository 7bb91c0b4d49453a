import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { ApiError } from "./errors.ts";

/** JSON requests to Google's APIs are small; uploads are streamed and never read whole. */
const MOST_BODY_BYTES = 32 * 1024 * 1024;
/** As deep as Google's JSON parser goes. */
const MOST_DEPTH = 100;

/** The body of a request, read once, in the way that the handler needs it. */
export class Body {
  readonly #source: IncomingMessage;

  constructor(source: IncomingMessage) {
    this.#source = source;
  }

  /** The bytes as they arrive; ends with an error where the client went away half-way. */
  get stream(): IncomingMessage {
    return this.#source;
  }

  /** The whole body, at most 32 MiB. */
  async bytes(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of this.#source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > MOST_BODY_BYTES) throw new ApiError("INVALID_ARGUMENT", "Request payload size exceeds the limit: 33554432 bytes.");
        chunks.push(chunk);
      }
    } finally {
      // What is not wanted goes nowhere, so that the client comes to read the answer.
      this.#source.resume();
    }
    return Buffer.concat(chunks);
  }

  async text(): Promise<string> {
    return (await this.bytes()).toString("utf8");
  }

  /** The JSON object of the body; an empty body is `{}`, as Google's APIs have it. */
  async json(): Promise<Record<string, unknown>> {
    const text = await this.text();
    if (text.trim() === "") return {};
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new ApiError("INVALID_ARGUMENT", "Invalid JSON payload received. Parsing failed.");
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new ApiError("INVALID_ARGUMENT", "Invalid JSON payload received. The root element must be an object.");
    }
    if (isDeeperThan(MOST_DEPTH, value)) throw new ApiError("INVALID_ARGUMENT", "Message too deep. Max recursion depth reached.");
    return value as Record<string, unknown>;
  }

  /** The fields of an application/x-www-form-urlencoded body. */
  async form(): Promise<URLSearchParams> {
    return new URLSearchParams(await this.text());
  }
}

/** Whether a value of JSON is nested more than so many levels. */
export function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(levels - 1, member));
}

/** Who sent a control-plane request, as the access token says. */
export interface Principal {
  /** As policies name it: `serviceAccount:name@project.iam.gserviceaccount.com`, `user:…` or `principal://…`. */
  readonly member: string;
  /** The `principal://` itself where that is all there is. */
  readonly email: string;
  /** The `principalSet://`s that a federated identity is in. */
  readonly principalSets?: readonly string[];
  readonly scopes: readonly string[];
}

/** A principal as far as policies tell one from another. */
export type Identity = Pick<Principal, "member" | "email" | "principalSets">;

/** One request to an emulated Google API. */
export interface Call {
  readonly method: string;
  /** Google's host as the client sees it, in lower case, without the port. */
  readonly host: string;
  /** The region in front of the host name (`us-central1-run.googleapis.com`), where there is one. */
  readonly region: string | undefined;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  /** What the route's `{name}`s stand for, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly body: Body;
  /** Undefined only on routes that need no credential. */
  readonly principal: Principal | undefined;
}

/** Who sent a call; a route that needs no credential has nobody, and must not ask. */
export function principalOf({ principal, url }: Call): Principal {
  if (!principal) throw new TypeError(`The route of ${url.pathname} needs no credential`);
  return principal;
}

/** The value of a route's `{name}`; a name that the route does not have is a bug. */
export function param(call: Call, name: string): string {
  const value = call.params[name];
  if (value === undefined) throw new TypeError(`The route of ${call.url.pathname} has no {${name}}`);
  return value;
}
