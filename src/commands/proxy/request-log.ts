import { redact } from "../../errors/redact.ts";

/** A completed request. */
interface Entry {
  readonly method: string;
  /** Without the query, which can contain secrets. */
  readonly path: string;
  /** 0 if the caller went away before the response. */
  readonly status: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly durationMs: number;
}

/** The requests that went through the proxy, for stderr and the status page. */
export interface RequestLog {
  /** Begins a request; returns the start time, which `end` takes. */
  begin(): number;
  end(method: string | undefined, path: string | undefined, status: number, startedAt: number): void;
  /** The number of requests in progress. */
  active(): number;
  total(): number;
  /** The last requests, the latest first. */
  latest(): readonly Entry[];
  /** Calls back when no request is in progress. */
  onIdle(done: () => void): void;
  close(): void;
}

const MAX_ENTRIES = 50;
/** Lines are written in batches: writing each one takes longer than forwarding a request. */
const FLUSH_INTERVAL_MS = 50;

/** Counts requests, and writes a line for each, in batches. */
export function openRequestLog(write: ((lines: string) => void) | undefined): RequestLog {
  const entries: Entry[] = [];
  let active = 0;
  let total = 0;
  let lines = "";
  let timer: NodeJS.Timeout | undefined;
  let idle: (() => void) | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lines !== "") write?.(printable(lines.slice(0, -1)));
    lines = "";
  };
  return {
    begin() {
      active += 1;
      return performance.now();
    },
    end(method = "", target = "", status, startedAt) {
      active -= 1;
      const durationMs = performance.now() - startedAt;
      const query = target.indexOf("?");
      const path = query < 0 ? target : target.slice(0, query);
      entries[total % MAX_ENTRIES] = { method, path, status, time: Date.now() - durationMs, durationMs };
      total += 1;
      if (write) {
        lines += `${method} ${path} ${status || "canceled"} ${formatMilliseconds(durationMs)}\n`;
        timer ??= setTimeout(flush, FLUSH_INTERVAL_MS);
      }
      if (active === 0) idle?.();
    },
    active: () => active,
    total: () => total,
    latest: () =>
      entries
        .toSorted((one, other) => other.time + other.durationMs - one.time - one.durationMs)
        .map((entry) => ({ ...entry, path: printable(entry.path) })),
    onIdle(done) {
      idle = done;
      if (active === 0) done();
    },
    close: flush,
  };
}

/** With a decimal below ten: forwarding takes about a millisecond. */
export function formatMilliseconds(durationMs: number): string {
  return `${durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs)} ms`;
}

/** Text from a caller without control characters for the terminal and without tokens. */
function printable(text: string): string {
  return redact(text.replace(/(?!\n)\p{Cc}/gu, "?"));
}
