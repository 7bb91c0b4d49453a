const UNITS_MS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
] as const;

/** Formats how long ago a time of RFC 3339 was: `3 days ago`. `now` is in milliseconds since the epoch. */
export function formatRelativeTime(time: string, now: number): string {
  const ageMs = Math.max(0, now - Date.parse(time));
  const [unit, length] = UNITS_MS.find(([, length]) => ageMs >= length) ?? ["second", 1000];
  const count = Math.floor(ageMs / length);
  return count === 0 ? "just now" : `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}

/** The rows of a table with relative times for a terminal, and with RFC 3339 for a pipe. */
export function withTimes(format: (formatTime: (time: string) => string) => string[][]): { rows: string[][]; piped: string[][] } {
  const now = Date.now();
  return { rows: format((time) => formatRelativeTime(time, now)), piped: format((time) => time) };
}
