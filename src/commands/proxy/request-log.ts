import { redact } from "../../errors/redact.ts";

/** A request that is over. */
interface Entry {
  readonly method: string;
  /** Without its query, which may hold what is nobody's business. */
  readonly path: string;
  /** 0 where the caller went away before it was answered. */
  readonly status: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly milliseconds: number;
}

/** What the proxy has done, for the log and the page. */
export interface Journal {
  /** Begins a request; gives the moment that `end` wants. */
  begin(): number;
  /** Takes a begin back: the same request begins anew. */
  forget(): void;
  end(method: string | undefined, path: string | undefined, status: number, begun: number): void;
  /** Requests under way. */
  active(): number;
  total(): number;
  /** The last ones, the latest first. */
  latest(): readonly Entry[];
  /** Calls back when no request is under way any more. */
  onIdle(done: () => void): void;
  close(): void;
}

const KEPT = 50;
/** Milliseconds in which lines come together: to write each by itself takes longer than to pass a request on. */
const GATHERING = 50;

/** Counts requests, and writes a line for each, several at a time. */
export function openJournal(write: ((lines: string) => void) | undefined): Journal {
  const ring: Entry[] = [];
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
    forget: () => void (active -= 1),
    end(method = "", target = "", status, begun) {
      active -= 1;
      const milliseconds = performance.now() - begun;
      const query = target.indexOf("?");
      const path = query < 0 ? target : target.slice(0, query);
      ring[total % KEPT] = { method, path, status, time: Date.now() - milliseconds, milliseconds };
      total += 1;
      if (write) {
        lines += `${method} ${path} ${status || "(the caller went away)"} ${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms\n`;
        timer ??= setTimeout(flush, GATHERING);
      }
      if (active === 0) idle?.();
    },
    active: () => active,
    total: () => total,
    latest: () =>
      ring
        .toSorted((one, other) => other.time + other.milliseconds - one.time - one.milliseconds)
        .map((entry) => ({ ...entry, path: printable(entry.path) })),
    onIdle(done) {
      idle = done;
      if (active === 0) done();
    },
    close: flush,
  };
}

/** What comes from a caller cannot write on the terminal, and what looks like a token is not shown. */
function printable(text: string): string {
  return redact(text.replace(/(?!\n)\p{Cc}/gu, "?"));
}
