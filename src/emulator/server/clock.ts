/** The emulator's clock: this machine's, shifted on request. */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly shiftMs: number;
  /** Sets the clock ahead of this machine's, or behind it if negative. */
  setShift(shiftMs: number): void;
}

// Unlike Cloud Run: a shifted clock continues at its own pace, and timeouts, idle times and certificates use this machine's clock.
/** Creates a clock. `shifted` is called after each shift: whatever is cached until some time then has another age. */
export function createClock(shifted: () => void): Clock {
  let shiftMs = 0;
  return {
    now: () => Date.now() + shiftMs,
    get shiftMs() {
      return shiftMs;
    },
    setShift(wantedMs) {
      shiftMs = wantedMs;
      shifted();
    },
  };
}
