import { InvalidArgumentError } from "commander";

/** Parses a whole number. Throws commander's InvalidArgumentError, as all of these do. */
export function parseWholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Use a whole number.");
}

/** Parses the port of a server; 0 stands for a free one. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("Use a port from 0 to 65535; 0 picks a free one.");
}

/** Parses a number greater than 0. */
export function parsePositiveNumber(text: string): number {
  const number = Number(text);
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(text) && number > 0) return number;
  throw new InvalidArgumentError("Use a number greater than 0.");
}

/** Parses a percentage from 0 to 100, with or without its sign. */
export function parsePercentage(text: string): number {
  const number = Number(/^(\d{1,3}(?:\.\d{1,9})?)%?$/.exec(text)?.[1]);
  if (number <= 100) return number;
  throw new InvalidArgumentError("Examples: 1%, 0.5%.");
}
