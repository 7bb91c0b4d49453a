import { isObject } from "../server/json.ts";
import { invalidArgument } from "../server/errors.ts";
import type { LogEntry } from "./entry.ts";
import { parseQuery, type Comparison, type Operator, type Query } from "./query-syntax.ts";
import { parseSeverity, rankOf } from "./severity.ts";
import { compareTimestamps, parseTimestamp } from "./timestamp.ts";

export type EntryFilter = (entry: LogEntry) => boolean;

/** Compiles a query in the Logging query language to a filter for entries. Throws ApiError INVALID_ARGUMENT if the query isn't valid. */
export function compileQuery(text: string): EntryFilter {
  const query = parseQuery(text);
  return query ? compile(query) : () => true;
}

function compile(query: Query): EntryFilter {
  switch (query.kind) {
    case "and":
    case "or": {
      const tests = query.parts.map(compile);
      return query.kind === "and" ? (entry) => tests.every((fits) => fits(entry)) : (entry) => tests.some((fits) => fits(entry));
    }
    case "not": {
      const fits = compile(query.part);
      return (entry) => !fits(entry);
    }
    case "comparison":
      return compileComparison(query.comparison);
  }
}

function compileComparison({ path, operator, value, quoted }: Comparison): EntryFilter {
  if (path.length === 0) return (entry) => containsText(entry, value.toLowerCase());
  if (operator === ":" && value === "*" && !quoted) return (entry) => findValues(entry, path).length > 0;
  const name = path.length === 1 ? path[0] : undefined;
  if (operator === "=~" || operator === "!~") {
    const pattern = compileRegExp(value);
    return (entry) => findValues(entry, path).some((found) => pattern.test(String(found))) === (operator === "=~");
  }
  if (name === "severity") {
    const rank = rankOf(parseSeverity(value) ?? refuse(`Invalid severity '${value}'.`));
    return ({ severity = "DEFAULT" }) => isOrdered(rankOf(severity) - rank, operator);
  }
  if (name === "timestamp" || name === "receiveTimestamp") {
    const time = parseTimestamp(value) ?? refuse(`Invalid timestamp '${value}'.`);
    return (entry) => isOrdered(compareTimestamps(entry[name], time), operator);
  }
  const fits = compileValue(operator === "!=" ? "=" : operator, value);
  return (entry) => findValues(entry, path).some(fits) === (operator !== "!=");
}

/** Compares values by the type of the entry's value, and texts without regard to case. */
function compileValue(operator: Operator, wanted: string): (found: unknown) => boolean {
  const text = wanted.toLowerCase();
  const number = toNumber(wanted);
  return (found) => {
    if (isObject(found)) return operator === ":" && (Object.hasOwn(found, wanted) || containsText(found, text));
    if (operator === ":") return String(found).toLowerCase().includes(text);
    const foundNumber = toNumber(found);
    if (!Number.isNaN(foundNumber) && !Number.isNaN(number)) return isOrdered(foundNumber - number, operator);
    const foundText = String(found).toLowerCase();
    return isOrdered(foundText < text ? -1 : foundText > text ? 1 : 0, operator);
  };
}

function isOrdered(difference: number, operator: Operator): boolean {
  switch (operator) {
    case "<":
      return difference < 0;
    case "<=":
      return difference <= 0;
    case ">":
      return difference > 0;
    case ">=":
      return difference >= 0;
    case "!=":
      return difference !== 0;
    default:
      return difference === 0;
  }
}

/** A number, or the seconds of a duration (`0.25s`); otherwise NaN. */
function toNumber(value: unknown): number {
  return /^-?\d+(\.\d+)?s?$/.test(String(value)) ? Number.parseFloat(String(value)) : Number.NaN;
}

/** The values of an entry at a path; each element of an array counts. */
function findValues(value: unknown, [name, ...rest]: readonly string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((member) => findValues(member, name === undefined ? [] : [name, ...rest]));
  if (name === undefined) return value === undefined || value === null ? [] : [value];
  if (!isObject(value)) return [];
  // Label names can contain unquoted dots.
  const dottedName = [name, ...rest].join(".");
  if (rest.length > 0 && Object.hasOwn(value, dottedName)) return findValues(value[dottedName], []);
  return Object.hasOwn(value, name) ? findValues(value[name], rest) : [];
}

function containsText(value: unknown, text: string): boolean {
  if (typeof value === "object" && value !== null) return Object.values(value).some((member) => containsText(member, text));
  return String(value).toLowerCase().includes(text);
}

/** Compiles an RE2 expression (https://github.com/google/re2/wiki/Syntax) as far as JavaScript's syntax agrees, with the flag (?i). */
function compileRegExp(source: string): RegExp {
  try {
    return source.startsWith("(?i)") ? new RegExp(source.slice(4), "i") : new RegExp(source);
  } catch {
    return refuse(`Invalid regular expression '${source}'.`);
  }
}

function refuse(message: string): never {
  throw invalidArgument(`Unparseable filter: ${message}`);
}
