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

/** Formats a time to the second, and how long ago it was. */
export function formatTime(time: string | null, now: number): string {
  if (time === null || Number.isNaN(Date.parse(time))) return "unknown";
  return `${new Date(time).toISOString().slice(0, 19)}Z, ${formatRelativeTime(time, now)}`;
}
