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
export function assertConsistent(options: InvokeOptions, paths: readonly string[]): void {
  const { output, include, repeat, waitFor } = options;
  const other = output !== undefined ? "--output" : include ? "--include" : undefined;
  if (printsRawBody(options) && other)
    throw new CliError("USAGE", `${options.buffer === false ? "--no-buffer" : "--raw"} and ${other} can't be used together.`);
  if (output !== undefined && makesSeveralCalls(options, paths))
    throw new CliError("USAGE", "--output can save only one response.", { hint: "Pass one path, without --repeat or --watch." });
  if (repeat === 0) throw new CliError("USAGE", "--repeat must be at least 1.");
  assertOneBody(options);
  if (waitFor !== undefined && !/^[1-5](?:\d\d|xx)$/i.test(waitFor))
    throw new CliError("USAGE", `Invalid status "${waitFor}" for --wait-for.`, { hint: "Use a code such as 200 or a class such as 2xx." });
}

/** Throws CliError USAGE if flags specify several bodies. */
export function assertOneBody(options: CallOptions): void {
  const bodies = BODY_FLAGS.filter(([name]) => options[name] !== undefined).map(([, flag]) => flag);
  if (bodies.length > 1) throw new CliError("USAGE", `${bodies.join(" and ")} can't be used together.`);
}

const BODY_FLAGS = [
  ["data", "--data"],
  ["jsonData", "--json-data"],
  ["dataUrlencode", "--data-urlencode"],
  ["form", "--form"],
] as const;

/** Throws CliError USAGE if a streamed body would be sent twice. */
export function assertRepeatable(body: CallBody["body"] | undefined, options: InvokeOptions, targets: readonly unknown[]): void {
  if (!(body instanceof Readable)) return;
  const { retryAll, waitFor } = options;
  if (!retryAll && waitFor === undefined && !makesSeveralCalls(options, targets)) return;
  throw new CliError("USAGE", "A body larger than 1 MiB is streamed, so it can't be sent again.", {
    hint: "Pass one path, without --retry-all, --wait-for, --repeat, or --watch.",
  });
}
