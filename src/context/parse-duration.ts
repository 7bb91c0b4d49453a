import { InvalidArgumentError } from "commander";

/** Parses a duration such as 90, 90s, 1500ms or 5m; returns milliseconds. Throws commander's InvalidArgumentError. */
export function parseDuration(text: string): number {
  const [, amount, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const durationMs = Number(amount) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as "ms" | "s" | "m" | "h"];
  // Node's timers take at most 2^31 - 1 milliseconds.
  if (!(durationMs > 0 && durationMs < 2 ** 31)) throw new InvalidArgumentError("Examples: 90s, 1500ms, 5m.");
  return durationMs;
}

/** Parses how long a token must still be valid, at most the hour that an ID token lives; returns milliseconds. */
export function parseTokenLifetime(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs > 3_600_000) throw new InvalidArgumentError("ID tokens are valid for at most 1h.");
  return durationMs;
}
