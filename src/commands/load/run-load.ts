import type { CliError } from "../../errors/cli-error.ts";
import type { AnswerHead } from "../../http/wire/response-head.ts";
import { TimedOut } from "../../http/network-error.ts";
import { isIdempotent } from "../../http/retry.ts";
import type { Dial } from "./connect.ts";
import { createLane, type Lane } from "./connection.ts";
import { createPace } from "./pace.ts";
import { createTally, type Interval, type Tally } from "./load-stats.ts";
import type { RequestSource } from "./request-source.ts";

export interface LoadOptions {
  readonly dial: Dial;
  readonly source: RequestSource;
  readonly method: string;
  /** Connections. */
  readonly concurrency: number;
  /** Requests at most; Infinity where the duration alone ends the run. */
  readonly requests: number;
  /** Milliseconds at most; Infinity where the number alone does. */
  readonly duration: number;
  /** Requests a second. */
  readonly rate: number | undefined;
  /** Milliseconds that a request may take. */
  readonly maxTime: number;
  readonly instanceHeader: string | undefined;
  readonly signal: AbortSignal;
  /** The sentence for a request that got no answer. */
  readonly explain: (error: Error) => string;
  /** Called about once a second, with the seconds of the interval. */
  readonly progress: (interval: Interval, tally: Tally, seconds: number) => void;
}

export interface Outcome {
  readonly tally: Tally;
  /** Milliseconds from the first request to the last answer. */
  readonly duration: number;
  readonly sent: number;
  /** Due at the rate before the end, and never sent: no connection was free. */
  readonly unsent: number;
  /** Under way when the run was broken off. */
  readonly abandoned: number;
  /** Bytes of the answers, heads included. */
  readonly received: number;
  /** Why no ID token was to be had any more. */
  readonly error: CliError | undefined;
}

/** Milliseconds between two looks at requests that take too long, and at what is due. */
const LOOK = 250;
const SECOND = 1000;
/** Milliseconds that requests have to finish where the run is broken off. */
const GRACE = 1000;
/** Milliseconds before a lane tries again after a failure; twice as long after each further one. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1000;

/** Sends requests over so many connections until enough were sent, the time is over, or the signal says so. It never throws for what it is answered. */
export async function runLoad(options: LoadOptions): Promise<Outcome> {
  const { dial, source, concurrency, rate, maxTime, signal, explain, progress, method } = options;
  const start = performance.now();
  const pace = createPace({ start, requests: options.requests, duration: options.duration, rate });
  const tally = createTally({ start, instanceHeader: options.instanceHeader });
  const lanes: Lane[] = [];
  /** Those that wait for a request to be due. */
  const free: ((now: number) => void)[] = [];
  let [sent, active, received, last, unsent, abandoned] = [0, 0, 0, start, 0, 0];
  let isStopped = false;
  let error: CliError | undefined;
  let timer: NodeJS.Timeout | undefined;
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));

  const stop = (): void => {
    if (isStopped) return;
    // A timer that is late by a little leaves nothing unsent that a connection is free for.
    if (!signal.aborted && !error) for (const now = performance.now(); free.length > 0 && pace.next() <= now;) free.pop()?.(now);
    isStopped = true;
    unsent = pace.stop(performance.now());
    settle();
  };
  const settle = (): void => {
    if (active === 0 && (isStopped || pace.next() === Infinity)) finish();
  };

  /** Gives what is due to the lanes that are free, and comes again when more is. */
  const pump = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const now = performance.now();
    while (free.length > 0 && pace.next() <= now) free.pop()?.(now);
    const next = pace.next();
    if (free.length > 0 && next !== Infinity && !isStopped) timer = setTimeout(pump, Math.max(1, Math.floor(next - now)));
    settle();
  };

  const addLane = (): void => {
    let from = 0;
    let token = "";
    let isRenewed = false;
    let pause = FIRST_PAUSE;
    const sendNow = (): void => {
      const prepared = source.next();
      if (prepared instanceof Promise) return void prepared.then(begin, breakOff);
      begin(prepared);
    };
    const begin = (prepared: { readonly bytes: Buffer; readonly token: string }): void => {
      token = prepared.token;
      lane.send(prepared.bytes);
    };
    const breakOff = (reason: unknown): void => {
      error ??= reason as CliError;
      active -= 1;
      sent -= 1;
      stop();
      settle();
    };
    const take = (now: number, isWaiting: boolean): boolean => {
      const due = isStopped ? undefined : pace.take(now, isWaiting);
      if (due === undefined) return false;
      from = due;
      isRenewed = false;
      active += 1;
      sent += 1;
      sendNow();
      return true;
    };
    const rest = (now: number): void => {
      if (!take(now, false)) {
        free.push((then) => void take(then, true));
        if (timer === undefined || active === 0) pump();
      }
    };
    const lane = createLane({
      dial,
      method,
      isIdempotent: isIdempotent(method),
      received: (bytes) => (received += bytes),
      answered({ status, kept: head }: AnswerHead) {
        // A token may end, or be revoked, between being sent and being read; keys change. Nobody's request is to be lost by that.
        if (status === 401 && !isRenewed && source.refused(token, head)) {
          isRenewed = true;
          return sendNow();
        }
        last = performance.now();
        active -= 1;
        pause = FIRST_PAUSE;
        if (status !== 401) source.accepted(token);
        tally.answered(status, from, last, head);
        rest(last);
      },
      failed(cause) {
        last = performance.now();
        active -= 1;
        if (cause === ABANDONED) abandoned += 1;
        else tally.failed(cause instanceof TimedOut ? "TIMEOUT" : (cause.code ?? cause.name), explain(cause));
        if (isStopped) return settle();
        setTimeout(() => rest(performance.now()), pause);
        pause = Math.min(pause * 2, LONGEST_PAUSE);
      },
    });
    lanes.push(lane);
    rest(start);
  };

  const looks = setInterval(() => {
    const now = performance.now();
    for (const lane of lanes) if (lane.since !== undefined && now - lane.since > maxTime) lane.fail(new TimedOut(maxTime));
    if (active === 0 || now >= start + options.duration) settle();
  }, LOOK);
  let cutAt = start;
  const seconds = setInterval(() => {
    const now = performance.now();
    progress(tally.cut(now), tally, (now - cutAt) / 1000);
    cutAt = now;
  }, SECOND);
  const ending = Number.isFinite(options.duration) ? setTimeout(stop, options.duration) : undefined;
  let grace: NodeJS.Timeout | undefined;
  const abort = (): void => {
    stop();
    grace = setTimeout(() => lanes.forEach((lane) => lane.fail(ABANDONED)), GRACE);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    for (let count = 0; count < concurrency && pace.next() !== Infinity; count += 1) addLane();
    if (signal.aborted) abort();
    await finished;
  } finally {
    [looks, seconds, ending, grace, timer].forEach((each) => clearTimeout(each));
    signal.removeEventListener("abort", abort);
    for (const lane of lanes) lane.close();
  }
  tally.cut(performance.now());
  return { tally, duration: last - start, sent, unsent, abandoned, received, error };
}

const ABANDONED = new Error("the run was broken off");
