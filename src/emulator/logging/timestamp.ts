const TIMESTAMP = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)?)?$/;

/** An RFC 3339 time, or a date, in Google's form: UTC, with 0, 3, 6 or 9 decimals. Undefined if the text isn't a time. */
export function parseTimestamp(text: string): string | undefined {
  const [whole, date, time = "00:00:00", fraction = "", zone = "Z"] = TIMESTAMP.exec(text.trim()) ?? [];
  const seconds = whole === undefined ? Number.NaN : Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  if (Number.isNaN(seconds)) return undefined;
  return formatTimestamp(seconds, fraction.slice(0, 9));
}

/** Seconds since the epoch and nanoseconds in Google's form; undefined if they are out of range. */
export function fromSecondsAndNanos(seconds: number, nanos: number): string | undefined {
  if (!Number.isInteger(seconds) || !Number.isInteger(nanos) || nanos < 0 || nanos > 999_999_999) return undefined;
  if (seconds < 0 || seconds > 253_402_300_799) return undefined;
  return formatTimestamp(seconds * 1000, String(nanos).padStart(9, "0"));
}

/** Milliseconds since the epoch in Google's form. Caches the last result, since many entries arrive in the same millisecond. */
export function fromMilliseconds(milliseconds: number): string {
  if (milliseconds === last.milliseconds) return last.text;
  const text = new Date(milliseconds).toISOString();
  last = { milliseconds, text: text.endsWith(".000Z") ? `${text.slice(0, -5)}Z` : text };
  return last.text;
}

let last = { milliseconds: Number.NaN, text: "" };

/** Compares two times in the form of `parseTimestamp`: below 0 if `a` is earlier. */
export function compareTimestamps(a: string, b: string): number {
  const [left, right] = [a.slice(0, -1), b.slice(0, -1)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function formatTimestamp(milliseconds: number, fraction: string): string {
  const digits = fraction.replace(/0+$/, "");
  const shown = digits === "" ? "" : `.${digits.padEnd(Math.ceil(digits.length / 3) * 3, "0")}`;
  return `${new Date(milliseconds).toISOString().slice(0, 19)}${shown}Z`;
}
