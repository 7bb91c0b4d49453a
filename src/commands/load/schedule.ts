/** When requests are sent. */
export interface Schedule {
  /**
   * Takes the next request if it is due; returns the time that its latency counts from, undefined if none is due. `isWaiting` means that a connection was
   * free already.
   */
  take(now: number, isWaiting: boolean): number | undefined;
  /** When the next request is due; Infinity if no more are. */
  next(): number;
  /** Ends the schedule. Returns how many requests were due and not taken. */
  stop(now: number): number;
}

interface ScheduleOptions {
  /** The time of the first request, by `performance.now()`. */
  readonly start: number;
  /** The maximum number of requests. */
  readonly requests: number;
  readonly maxDurationMs: number;
  /** Requests per second; undefined to send each one as soon as a connection is free. */
  readonly rate: number | undefined;
}

/** Node's timers are this late, which isn't a delay of the service. */
const TIMER_LATENESS_MS = 2;

/**
 * With a rate, the latency of a request that waited for a connection counts from when it was due. Otherwise exactly those requests that a slow response delays
 * would be left out, which Gil Tene calls coordinated omission.
 */
export function createSchedule({ start, requests, maxDurationMs, rate }: ScheduleOptions): Schedule {
  let taken = 0;
  let end = start + maxDurationMs;
  const dueAt = (index: number): number => (rate === undefined ? start : start + (index * 1000) / rate);
  let isStopped = false;
  const isOver = (): boolean => isStopped || taken >= requests;

  return {
    take(now, isWaiting) {
      if (isOver()) return undefined;
      if (rate === undefined) {
        if (now >= end) return undefined;
        taken += 1;
        return now;
      }
      const due = dueAt(taken);
      if (due > now || due >= end) return undefined;
      taken += 1;
      return isWaiting && now - due <= TIMER_LATENESS_MS ? now : due;
    },
    next: () => (isOver() || dueAt(taken) >= end ? Infinity : dueAt(taken)),
    stop(now) {
      isStopped = true;
      end = Math.min(end, now);
      if (rate === undefined) return 0;
      let due = Math.ceil(((end - start) / 1000) * rate);
      // Rounding must not add a request that was never due.
      if (dueAt(due - 1) >= end) due -= 1;
      return Math.max(0, Math.min(requests, due) - taken);
    },
  };
}
