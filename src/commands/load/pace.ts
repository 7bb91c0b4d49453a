/** When requests are to be sent. */
export interface Pace {
  /**
   * The moment that the next request counts from, where one is due; it is taken then. `undefined` where none is due yet, or none ever will be.
   * `isWaiting` says that a connection has been free since before.
   */
  take(now: number, isWaiting: boolean): number | undefined;
  /** When the next one is due; Infinity where none ever will be. */
  next(): number;
  /** No more after this moment. Gives how many were due until then and were not taken. */
  stop(now: number): number;
}

interface PaceOptions {
  /** `performance.now()` of the first one. */
  readonly start: number;
  /** Requests at most. */
  readonly requests: number;
  /** Milliseconds at most. */
  readonly duration: number;
  /** A second; undefined where each is sent as soon as a connection is free. */
  readonly rate: number | undefined;
}

/** Milliseconds. A timer of Node's is a little late, which is no delay of the service's. */
const LATE = 2;

/**
 * At a rate, a request that had to wait for a connection counts from when it was to be sent: who does otherwise leaves out exactly the requests that a slow
 * answer keeps waiting, which Gil Tene has named coordinated omission.
 */
export function createPace({ start, requests, duration, rate }: PaceOptions): Pace {
  let taken = 0;
  let end = start + duration;
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
      return isWaiting && now - due <= LATE ? now : due;
    },
    next: () => (isOver() || dueAt(taken) >= end ? Infinity : dueAt(taken)),
    stop(now) {
      isStopped = true;
      end = Math.min(end, now);
      if (rate === undefined) return 0;
      let due = Math.ceil(((end - start) / 1000) * rate);
      // Rounding must not make one due that never was.
      if (dueAt(due - 1) >= end) due -= 1;
      return Math.max(0, Math.min(requests, due) - taken);
    },
  };
}
