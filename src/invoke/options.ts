import { Readable } from "node:stream";
import type { CacheOptions } from "../auth/token-cache.ts";
import type { AudienceOptions } from "./audience.ts";
import { CliError } from "../errors/cli-error.ts";
import type { CallBody } from "./body.ts";

/** Flags for the caller and the request. */
export interface CallOptions extends Omit<CacheOptions, "isLongRun">, AudienceOptions {
  readonly request?: string;
  readonly data?: string;
  readonly jsonData?: string;
  readonly dataUrlencode?: readonly string[];
  readonly form?: readonly string[];
  readonly header?: readonly string[];
  readonly authHeader?: "authorization" | "x-serverless-authorization";
}

/** The flags of `invoke`; durations are in milliseconds. */
export interface InvokeOptions extends CallOptions {
  readonly include?: boolean;
  readonly output?: string;
  readonly raw?: boolean;
  /** False under `--no-buffer`. */
  readonly buffer?: boolean;
  readonly location?: boolean;
  readonly maxTimeMs?: number;
  readonly retries: number;
  readonly retryAll?: boolean;
  /** `200`, `2xx` */
  readonly waitFor?: string;
  readonly repeat?: number;
  /** True without an interval. */
  readonly watchMs?: number | true;
}

/** Whether only the body is printed, while it arrives. */
export function printsRawBody({ raw, buffer }: InvokeOptions): boolean {
  return raw === true || buffer === false;
}

/** Whether one run can make several calls. */
export function makesSeveralCalls({ repeat, watchMs }: InvokeOptions, targets: readonly unknown[]): boolean {
  return targets.length > 1 || repeat !== undefined || watchMs !== undefined;
}

/** Throws CliError USAGE if flags contradict each other. */
export function assertConsistent(options: InvokeOptions, targets: readonly string[]): void {
  const { output, include, repeat, waitFor } = options;
  const raw = options.buffer === false ? "--no-buffer" : "--raw";
  if (printsRawBody(options) && output !== undefined)
    throw new CliError("USAGE", `${raw} prints the body, and --output keeps it from being printed.`, { hint: "Say one of them." });
  if (printsRawBody(options) && include)
    throw new CliError("USAGE", `${raw} prints the body alone, and --include prints more.`, { hint: "Say one of them." });
  if (output !== undefined && makesSeveralCalls(options, targets))
    throw new CliError("USAGE", "--output takes the body of one call.", { hint: "Call once, without --repeat and --watch." });
  if (repeat === 0) throw new CliError("USAGE", "--repeat 0 calls nothing.", { hint: "For example: --repeat 10" });
  assertOneBody(options);
  if (waitFor !== undefined && !/^[1-5](?:\d\d|xx)$/i.test(waitFor))
    throw new CliError("USAGE", `"${waitFor}" is no status to wait for.`, { hint: "For example: --wait-for 200, --wait-for 2xx" });
}

/** Throws CliError USAGE if flags specify several bodies. */
export function assertOneBody(options: CallOptions): void {
  const bodies = BODY_FLAGS.filter(([name]) => options[name] !== undefined).map(([, flag]) => flag);
  if (bodies.length > 1) throw new CliError("USAGE", `${bodies.join(" and ")} each make a body.`, { hint: "Say one of them." });
}

const BODY_FLAGS = [
  ["data", "--data"],
  ["jsonData", "--json-data"],
  ["dataUrlencode", "--data-urlencode"],
  ["form", "--form"],
] as const;

/** Throws CliError USAGE if a streamed body would have to be sent twice. */
export function assertRepeatable(body: CallBody["body"] | undefined, options: InvokeOptions, targets: readonly unknown[]): void {
  if (!(body instanceof Readable)) return;
  const { retryAll, waitFor } = options;
  if (!retryAll && waitFor === undefined && !makesSeveralCalls(options, targets)) return;
  throw new CliError("USAGE", "A body of more than 1 MiB is sent as it is read, and cannot be sent again.", {
    hint: "Call once: one path, without --retry-all, --wait-for, --repeat and --watch.",
  });
}
