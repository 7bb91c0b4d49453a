import { InvalidArgumentError } from "commander";

/** Reads a whole number of the command line. */
export function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Say a whole number.");
}

/** Reads a number above nothing. */
export function positiveNumber(text: string): number {
  const number = Number(text);
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(text) && number > 0) return number;
  throw new InvalidArgumentError("Say a number above 0.");
}

/** Reads a share of a hundred, with or without its sign. */
export function percentage(text: string): number {
  const number = Number(/^(\d{1,3}(?:\.\d{1,9})?)%?$/.exec(text)?.[1]);
  if (number <= 100) return number;
  throw new InvalidArgumentError("Say it as 1% or 0.5%.");
}
