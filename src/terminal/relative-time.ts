const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
] as const;

/** How long ago a time of RFC 3339 was, as a person says it: `3 days ago`. `now` is in milliseconds. */
export function formatRelativeTime(time: string, now: number): string {
  const age = Math.max(0, now - Date.parse(time));
  const [unit, length] = UNITS.find(([, length]) => age >= length) ?? ["second", 1000];
  const count = Math.floor(age / length);
  return count === 0 ? "just now" : `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}

/** A time to the second, and how long ago it was. */
export function formatTime(time: string | null, now: number): string {
  if (time === null || Number.isNaN(Date.parse(time))) return "unknown";
  return `${new Date(time).toISOString().slice(0, 19)}Z, ${formatRelativeTime(time, now)}`;
}
