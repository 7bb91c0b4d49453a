import { invalidArgument } from "../server/errors.ts";

export type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=" | ":" | "=~" | "!~";

/** One comparison of a query; a bare text, which is searched for in all fields, has no path. */
export interface Comparison {
  readonly path: readonly string[];
  readonly operator: Operator;
  readonly value: string;
  /** True if the value was quoted; an asterisk has no special meaning then. */
  readonly quoted: boolean;
}

export type Query =
  | { readonly kind: "and" | "or"; readonly parts: readonly Query[] }
  | { readonly kind: "not"; readonly part: Query }
  | { readonly kind: "comparison"; readonly comparison: Comparison };

const QUOTED = /"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'/y;
const SEGMENT = /[^\s()"'=<>!:~,.\\]+/y;
const BARE_VALUE = /[^\s()",]+/y;
const OPERATOR = /!=|>=|<=|=~|!~|[=:<>]/y;
/** Limit for nested parentheses and negations. */
const MAX_DEPTH = 100;
const SPACE = /(?:\s+|--[^\n]*)*/y;

/**
 * Parses a query: https://cloud.google.com/logging/docs/view/logging-query-language. NOT binds tightest, then OR, then AND, which is
 * optional. Undefined for an empty query. Throws ApiError INVALID_ARGUMENT with the place of the error.
 */
export function parseQuery(text: string): Query | undefined {
  let at = 0;
  let depth = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text)?.[0];
    if (match !== undefined) at += match.length;
    return match;
  };
  const skip = (): void => void take(SPACE);
  const takeToken = (pattern: RegExp): string | undefined => {
    skip();
    return take(pattern);
  };
  const refuse = (): never => {
    const before = text.slice(0, at).split("\n");
    const place = `line ${before.length}, column ${(before.at(-1) ?? "").length + 1}`;
    throw invalidArgument(`Unparseable filter: syntax error at ${place}, token '${text.slice(at, at + 20)}'.`);
  };
  const isAtEnd = (): boolean => {
    skip();
    return at === text.length || text[at] === ")";
  };

  // Comparisons and the values of one comparison are combined in the same way.
  const all = (leaf: () => Query): Query => {
    const parts = [any(leaf)];
    while (!isAtEnd()) {
      takeToken(/AND(?=[\s(]|$)/y);
      parts.push(any(leaf));
    }
    return parts.length === 1 ? (parts[0] as Query) : { kind: "and", parts };
  };
  const any = (leaf: () => Query): Query => {
    const parts = [one(leaf)];
    while (takeToken(/OR(?=[\s(]|$)/y)) parts.push(one(leaf));
    return parts.length === 1 ? (parts[0] as Query) : { kind: "or", parts };
  };
  const one = (leaf: () => Query): Query => {
    const isNegated = takeToken(/NOT(?=[\s(]|$)|-(?=[^\s-])/y) !== undefined;
    if (!isNegated && !takeToken(/\(/y)) return leaf();
    depth += 1;
    if (depth > MAX_DEPTH) refuse();
    const inner: Query = isNegated ? { kind: "not", part: one(leaf) } : all(leaf);
    depth -= 1;
    return isNegated || takeToken(/\)/y) ? inner : refuse();
  };

  const takeQuoted = (): string | undefined =>
    take(QUOTED)
      ?.slice(1, -1)
      .replace(/\\([^])/g, unescape);
  const comparison = (): Query => {
    const path: string[] = [];
    let quoted = false;
    skip();
    do {
      const name = takeQuoted();
      quoted = name !== undefined;
      path.push(name ?? take(SEGMENT) ?? refuse());
    } while (take(/\./y));
    if (!quoted && path.length === 1 && take(/\(/y)) return call(path[0] as string);
    const operator = takeToken(OPERATOR) as Operator | undefined;
    if (operator === undefined) return compare({ path: [], operator: ":", value: path.join("."), quoted: true });
    const value = (): Query => {
      skip();
      const text = takeQuoted();
      return compare({ path, operator, value: text ?? take(BARE_VALUE) ?? refuse(), quoted: text !== undefined });
    };
    if (takeToken(/\(/y)) {
      const values = all(value);
      return takeToken(/\)/y) ? values : refuse();
    }
    return value();
  };
  // Unlike Cloud Run: log_id is the only function in log queries.
  const call = (name: string): Query => {
    skip();
    const id = takeQuoted() ?? take(BARE_VALUE);
    if (name !== "log_id" || id === undefined || !takeToken(/\)/y)) return refuse();
    return compare({
      path: ["logName"],
      operator: "=~",
      value: `/logs/${escapeRegExp(id.replaceAll("/", "%2F"))}$`,
      quoted: true,
    });
  };

  if (isAtEnd() && at === text.length) return undefined;
  const query = all(comparison);
  return at === text.length ? query : refuse();
}

function compare(comparison: Comparison): Query {
  return { kind: "comparison", comparison };
}

function unescape(_: string, character: string): string {
  return { n: "\n", r: "\r", t: "\t" }[character] ?? (/["'\\]/.test(character) ? character : `\\${character}`);
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^$()[\]{}|\\/]/g, "\\$&");
}
