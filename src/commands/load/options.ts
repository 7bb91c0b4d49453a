import { Readable } from "node:stream";
import { assertOneBody, type CallOptions } from "../../invoke/options.ts";
import type { Call } from "../../invoke/request.ts";
import { CliError } from "../../errors/cli-error.ts";

/** The flags of `load`. */
export interface LoadFlags extends CallOptions {
  readonly requests?: number;
  readonly durationMs?: number;
  readonly concurrency: number;
  /** A second. */
  readonly rate?: number;
  readonly maxRate: number;
  readonly maxTimeMs?: number;
  /** False under `--no-check`. */
  readonly check?: boolean;
  /** Of a hundred. */
  readonly maxErrors?: number;
  readonly maxP99Ms?: number;
  readonly instanceHeader?: string;
  readonly coldStarts?: boolean;
  readonly plot?: string;
}

/** How much is sent; durations are in milliseconds. */
export interface Amount {
  /** At most; Infinity where the duration alone ends the run. */
  readonly requests: number;
  /** At most; Infinity where the number alone does. */
  readonly duration: number;
  readonly concurrency: number;
  readonly rate: number | undefined;
  readonly maxTime: number;
}

/** Milliseconds. */
const USUAL_DURATION = 10_000;
const USUAL_MAX_TIME = 60_000;
/** A process may have so many files open, mostly. */
const MOST_CONNECTIONS = 5000;

/** What the flags say of how much, with what they leave open filled in. Throws CliError USAGE where they make no sense. */
export function readAmount(flags: LoadFlags): Amount {
  const { requests, concurrency, rate, maxRate, maxTimeMs = USUAL_MAX_TIME, instanceHeader } = flags;
  assertOneBody(flags);
  if (requests === 0) throw new CliError("USAGE", "--requests 0 sends nothing.", { hint: "For example: --requests 1000" });
  if (concurrency < 1 || concurrency > MOST_CONNECTIONS)
    throw new CliError("USAGE", `--concurrency is a number from 1 to ${MOST_CONNECTIONS}.`, { hint: "For example: --concurrency 50" });
  if (rate !== undefined && rate > maxRate)
    throw new CliError("USAGE", `A rate of ${rate} requests a second is above --max-rate, ${maxRate}.`, {
      hint: `Where that is meant, say --max-rate ${rate}`,
    });
  if (instanceHeader !== undefined && !/^[\w-]+$/.test(instanceHeader))
    throw new CliError("USAGE", "--instance-header is the name of a header.", { hint: "For example: --instance-header X-Instance" });
  const duration = flags.durationMs ?? (requests === undefined ? USUAL_DURATION : Infinity);
  return { requests: requests ?? Infinity, duration, concurrency, rate, maxTime: maxTimeMs };
}

/** A call that can be made over and over. Throws CliError USAGE for a body that is sent as it is read. */
export function assertAgain<Request extends Pick<Call, "body">>(call: Request): Request & { readonly body: Buffer | undefined } {
  const { body } = call;
  if (!(body instanceof Readable)) return { ...call, body };
  throw new CliError("USAGE", "A body of more than 1 MiB is sent as it is read, and cannot be sent again.", {
    hint: "Load the service with a smaller one.",
  });
}
