import { randomFillSync } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** A request's place in a trace, which the front end tells the service and the caller. */
export interface Trace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** Continues the caller's trace if it sent one (https://cloud.google.com/trace/docs/trace-context), or begins one. */
export function traceOf(headers: IncomingHttpHeaders): Trace {
  const random = takeRandom(24);
  const spanId = random.slice(32);
  const w3c = /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/.exec(String(headers["traceparent"] ?? ""));
  if (w3c?.[1]) return { traceId: w3c[1], spanId, sampled: (Number.parseInt(w3c[2] ?? "0", 16) & 1) === 1 };
  const google = /^([0-9a-f]{32})(?:\/\d+)?(?:;o=([01]))?$/i.exec(String(headers["x-cloud-trace-context"] ?? ""));
  if (google?.[1]) return { traceId: google[1].toLowerCase(), spanId, sampled: google[2] === "1" };
  return { traceId: random.slice(0, 32), spanId, sampled: true };
}

/** Random bytes, generated in bulk: generating a few takes as long. */
const pool = Buffer.alloc(24 * 256);
let taken = pool.length;

function takeRandom(bytes: number): string {
  if (taken + bytes > pool.length) {
    randomFillSync(pool);
    taken = 0;
  }
  taken += bytes;
  return pool.toString("hex", taken - bytes, taken);
}

/** The value of `X-Cloud-Trace-Context`: the span in decimal. */
export function cloudTraceContext({ traceId, spanId, sampled }: Trace): string {
  return `${traceId}/${BigInt(`0x${spanId}`)};o=${sampled ? 1 : 0}`;
}

/** The value of `traceparent` (W3C Trace Context). */
export function traceparent({ traceId, spanId, sampled }: Trace): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}
