import type { CliError } from "../../errors/cli-error.ts";
import { TimedOut } from "../../http/network-error.ts";
import { isIdempotent } from "../../http/retry.ts";
import type { Connect } from "./connect.ts";
import { createConnection, type LoadConnection } from "./connection.ts";
import { LoadStats, type Interval } from "./load-stats.ts";
import type { LoadPlan } from "./options.ts";
import type { RequestSource } from "./request-source.ts";
import { createSchedule } from "./schedule.ts";

export interface LoadOptions extends LoadPlan {
  readonly connect: Connect;
  readonly source: RequestSource;
  readonly method: string;
  readonly instanceHeader: string | undefined;
  readonly signal: AbortSignal;
  /** Explains why a request got no response. */
  readonly explain: (error: Error) => string;
  /** Called about once a second, with the length of the interval. */
  readonly onProgress: (interval: Interval, stats: LoadStats, intervalSeconds: number) => void;
}

export interface Outcome {
  readonly stats: LoadStats;
  /** From the first request to the last response. */
  readonly durationMs: number;
  readonly sent: number;
  /** Requests that the rate required, and that no connection was free for. */
  readonly unsent: number;
  /** Requests in progress when the run was interrupted. */
  readonly abandoned: number;
  /** Bytes of the responses, heads included. */
  readonly bytesReceived: number;
  /** Why no more ID tokens were available. */
  readonly error: CliError | undefined;
}

const TIMEOUT_CHECK_INTERVAL_MS = 250;
const STATS_INTERVAL_MS = 1000;
/** How long requests have to finish when the run is interrupted. */
const INTERRUPT_TIMEOUT_MS = 1000;
/** The pause of a connection after a failure; it doubles with each further one, up to the maximum. */
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1000;

/** Sends requests over the connections until the plan is complete or the signal ends it. Never throws because of a response. */
export async function runLoad(options: LoadOptions): Promise<Outcome> {
  const { connect, source, concurrency, maxRequests, maxDurationMs, rate, requestTimeoutMs, signal, explain, onProgress, method } = options;
  const start = performance.now();
  const schedule = createSchedule({ start, requests: maxRequests, maxDurationMs, rate });
  const stats = new LoadStats(start, options.instanceHeader);
  const connections: LoadConnection[] = [];
  /** Connections that wait until a request is due. */
  const idle: ((now: number) => void)[] = [];
  let [sent, active, bytesReceived, lastResponseAt, unsent, abandoned] = [0, 0, 0, start, 0, 0];
  let isStopped = false;
  let error: CliError | undefined;
  let timer: NodeJS.Timeout | undefined;
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));

  const stop = (): void => {
    if (isStopped) return;
    // A late timer must not leave requests unsent that connections are free for.
    if (!signal.aborted && !error) for (const now = performance.now(); idle.length > 0 && schedule.next() <= now;) idle.pop()?.(now);
    isStopped = true;
    unsent = schedule.stop(performance.now());
    finishIfDone();
  };
  const finishIfDone = (): void => {
    if (active === 0 && (isStopped || schedule.next() === Infinity)) finish();
  };

  /** Sends the requests that are due over idle connections, and sets a timer for the next one. */
  const sendDueRequests = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const now = performance.now();
    while (idle.length > 0 && schedule.next() <= now) idle.pop()?.(now);
    const next = schedule.next();
    if (idle.length > 0 && next !== Infinity && !isStopped) timer = setTimeout(sendDueRequests, Math.max(1, Math.floor(next - now)));
    finishIfDone();
  };

  const addConnection = (): void => {
    let from = 0;
    let token = "";
    let isTokenRenewed = false;
    let pauseMs = FIRST_PAUSE_MS;
    const sendRequest = (): void => {
      const prepared = source.next();
      if (prepared instanceof Promise) return void prepared.then(write, endWithoutToken);
      write(prepared);
    };
    const write = (prepared: { readonly bytes: Buffer; readonly token: string }): void => {
      token = prepared.token;
      connection.send(prepared.bytes);
    };
    const endWithoutToken = (reason: unknown): void => {
      error ??= reason as CliError;
      active -= 1;
      sent -= 1;
      stop();
      finishIfDone();
    };
    const sendIfDue = (now: number, isWaiting: boolean): boolean => {
      const due = isStopped ? undefined : schedule.take(now, isWaiting);
      if (due === undefined) return false;
      from = due;
      isTokenRenewed = false;
      active += 1;
      sent += 1;
      sendRequest();
      return true;
    };
    const sendOrWait = (now: number): void => {
      if (sendIfDue(now, false)) return;
      idle.push((later) => void sendIfDue(later, true));
      if (timer === undefined || active === 0) sendDueRequests();
    };
    const connection = createConnection({
      connect,
      method,
      isIdempotent: isIdempotent(method),
      onBytes: (count) => (bytesReceived += count),
      onResponse({ status, text }) {
        // A token can expire or be revoked between being sent and being read, and keys rotate: that costs no request.
        if (status === 401 && !isTokenRenewed && source.rejected(token, text)) {
          isTokenRenewed = true;
          return sendRequest();
        }
        lastResponseAt = performance.now();
        active -= 1;
        pauseMs = FIRST_PAUSE_MS;
        if (status !== 401) source.accepted(token);
        stats.addResponse(status, from, lastResponseAt, text);
        sendOrWait(lastResponseAt);
      },
      onFailure(cause) {
        lastResponseAt = performance.now();
        active -= 1;
        if (cause === INTERRUPTED) abandoned += 1;
        else stats.addFailure(cause instanceof TimedOut ? "TIMEOUT" : (cause.code ?? cause.name), explain(cause));
        if (isStopped) return finishIfDone();
        setTimeout(() => sendOrWait(performance.now()), pauseMs);
        pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
      },
    });
    connections.push(connection);
    sendOrWait(start);
  };

  const timeoutCheck = setInterval(() => {
    const now = performance.now();
    for (const connection of connections) {
      if (connection.sentAt !== undefined && now - connection.sentAt > requestTimeoutMs) connection.fail(new TimedOut(requestTimeoutMs));
    }
    if (active === 0 || now >= start + maxDurationMs) finishIfDone();
  }, TIMEOUT_CHECK_INTERVAL_MS);
  let intervalStart = start;
  const statsTimer = setInterval(() => {
    const now = performance.now();
    onProgress(stats.endInterval(now), stats, (now - intervalStart) / 1000);
    intervalStart = now;
  }, STATS_INTERVAL_MS);
  const endTimer = Number.isFinite(maxDurationMs) ? setTimeout(stop, maxDurationMs) : undefined;
  let interruptTimer: NodeJS.Timeout | undefined;
  const abort = (): void => {
    stop();
    interruptTimer = setTimeout(() => connections.forEach((connection) => connection.fail(INTERRUPTED)), INTERRUPT_TIMEOUT_MS);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    for (let count = 0; count < concurrency && schedule.next() !== Infinity; count += 1) addConnection();
    if (signal.aborted) abort();
    await finished;
  } finally {
    [timeoutCheck, statsTimer, endTimer, interruptTimer, timer].forEach((running) => clearTimeout(running));
    signal.removeEventListener("abort", abort);
    for (const connection of connections) connection.close();
  }
  stats.endInterval(performance.now());
  return { stats, durationMs: lastResponseAt - start, sent, unsent, abandoned, bytesReceived, error };
}

const INTERRUPTED = new Error("the run was interrupted");
