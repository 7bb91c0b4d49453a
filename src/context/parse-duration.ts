import { InvalidArgumentError } from "commander";

/** Reads a duration of the command line: 90, 90s, 1500ms, 5m. */
export function milliseconds(text: string): number {
  const [, amount, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const duration = Number(amount) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as "ms" | "s" | "m" | "h"];
  // Node's timers go no further than 2^31 - 1 milliseconds.
  if (!(duration > 0 && duration < 2 ** 31)) throw new InvalidArgumentError("Say it as 90, 90s, 1500ms or 5m.");
  return duration;
}

/** Reads for how long a token has to be good yet: as `milliseconds`, up to the hour that an ID token lives. */
export function lifetime(text: string): number {
  const duration = milliseconds(text);
  if (duration > 3_600_000) throw new InvalidArgumentError("An ID token is good for an hour at the most.");
  return duration;
}
