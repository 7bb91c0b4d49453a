/** The emulator's time: this machine's, moved by as much as was asked for. */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How far it is ahead of this machine's, in milliseconds. */
  readonly shiftMs: number;
  /** Sets it so many milliseconds ahead of this machine's, or back. */
  setShift(shift: number): void;
}

/** `moved` is told when the time is another one: what was kept until some time has another age then. */
// Unlike Cloud Run: a clock that was moved goes on to move at its own pace, and timeouts, idle times and certificates stay with this machine's.
export function createClock(moved: () => void): Clock {
  let shift = 0;
  return {
    now: () => Date.now() + shift,
    get shiftMs() {
      return shift;
    },
    setShift(wanted) {
      shift = wanted;
      moved();
    },
  };
}
