import { InvalidArgumentError } from "commander";

/** Reads a whole number of the command line. */
export function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Say a whole number.");
}
