import { Readable } from "node:stream";
import { assertOneBody, type CallOptions } from "../../invoke/options.ts";
import type { Call } from "../../invoke/request.ts";
import { CliError } from "../../errors/cli-error.ts";

/** The flags of `load`. */
export interface LoadFlags extends CallOptions {
  readonly requests?: number;
  readonly durationMs?: number;
  readonly concurrency: number;
  /** Requests per second. */
  readonly rate?: number;
  readonly maxRate: number;
  readonly maxTimeMs?: number;
  /** False under `--no-check`. */
  readonly check?: boolean;
  /** Percent. */
  readonly maxErrors?: number;
  readonly maxP99Ms?: number;
  readonly instanceHeader?: string;
  readonly coldStarts?: boolean;
  readonly plot?: string;
}

/** How many requests are sent, and how. */
export interface LoadPlan {
  /** Infinity if only the duration ends the run. */
  readonly maxRequests: number;
  /** Infinity if only the number of requests ends the run. */
  readonly maxDurationMs: number;
  /** The number of connections. */
  readonly concurrency: number;
  /** Requests per second. */
  readonly rate: number | undefined;
  readonly requestTimeoutMs: number;
}

const DEFAULT_DURATION_MS = 10_000;
const DEFAULT_REQUEST_TIMEOUT_MS = 60_000;
/** Most systems allow a process this many open files. */
const MAX_CONNECTIONS = 5000;

/** Reads the plan from the flags. Throws CliError USAGE if they contradict each other. */
export function readLoadPlan(flags: LoadFlags): LoadPlan {
  const { requests, concurrency, rate, maxRate, maxTimeMs: requestTimeoutMs = DEFAULT_REQUEST_TIMEOUT_MS, instanceHeader } = flags;
  assertOneBody(flags);
  if (requests === 0) throw new CliError("USAGE", "--requests must be at least 1.");
  if (concurrency < 1 || concurrency > MAX_CONNECTIONS)
    throw new CliError("USAGE", `--concurrency must be between 1 and ${MAX_CONNECTIONS}.`);
  if (rate !== undefined && rate > maxRate)
    throw new CliError("USAGE", `--rate ${rate} exceeds the limit of ${maxRate} requests per second.`, {
      hint: `To allow it, pass --max-rate ${rate}.`,
    });
  if (instanceHeader !== undefined && !/^[\w-]+$/.test(instanceHeader))
    throw new CliError("USAGE", `Invalid header name "${instanceHeader}" for --instance-header.`);
  const maxDurationMs = flags.durationMs ?? (requests === undefined ? DEFAULT_DURATION_MS : Infinity);
  return { maxRequests: requests ?? Infinity, maxDurationMs, concurrency, rate, requestTimeoutMs };
}

export type RepeatableCall = Call & { readonly body: Buffer | undefined };

/** A call that can be sent repeatedly. Throws CliError USAGE for a body that is a stream. */
export function assertRepeatable<Request extends Pick<Call, "body">>(call: Request): Request & { readonly body: Buffer | undefined } {
  const { body } = call;
  if (!(body instanceof Readable)) return { ...call, body };
  throw new CliError("USAGE", "Request bodies over 1 MiB can't be sent repeatedly.");
}
