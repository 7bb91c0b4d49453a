/** The emulator's time: this machine's, moved by as much as was asked for. */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How far it is ahead of this machine's, in milliseconds. */
  readonly shift: number;
  /** Sets it so many milliseconds ahead of this machine's, or back. */
  move(shift: number): void;
}

// Unlike Cloud Run: a clock that was moved goes on to move at its own pace, and timeouts, idle times and certificates stay with this machine's.
export function createClock(): Clock {
  let shift = 0;
  return {
    now: () => Date.now() + shift,
    get shift() {
      return shift;
    },
    move: (wanted) => void (shift = wanted),
  };
}
