import { invalidArgument } from "../server/errors.ts";

/** Whether a resource matches a filter; `field` returns the values of one of its fields. */
export type Filter = (field: (name: string) => unknown) => boolean;

// Unlike Cloud Run: filters with NOT, ordering comparisons and functions are refused.
/**
 * Parses a list request's filter: `field=value`, `field:value` and `field!=value`, with an optionally quoted value or one that ends in an
 * asterisk, combined by AND, OR and parentheses: https://google.aip.dev/160. Throws ApiError INVALID_ARGUMENT for a field that isn't in
 * `fields`, and for syntax that it doesn't know.
 */
export function parseFilter(text: string, fields: readonly string[]): Filter {
  const tokens = text.match(/[()]|[\w.]+\s*(?:!=|[=:])\s*(?:"[^"]*"|[^\s()"]+)|[^\s()]+/g) ?? [];
  const refuse = (): never => {
    throw invalidArgument(`The emulator doesn't support the filter '${text}'.`);
  };

  const either = (): Filter => {
    const filters = [both()];
    while (tokens[0] === "OR") {
      tokens.shift();
      filters.push(both());
    }
    return (field) => filters.some((filter) => filter(field));
  };
  const both = (): Filter => {
    const filters = [term()];
    while (tokens[0] !== undefined && tokens[0] !== ")" && tokens[0] !== "OR") {
      if (tokens[0] === "AND") tokens.shift();
      filters.push(term());
    }
    return (field) => filters.every((filter) => filter(field));
  };
  const term = (): Filter => {
    const token = tokens.shift() ?? refuse();
    if (token === "(") {
      const inner = either();
      return tokens.shift() === ")" ? inner : refuse();
    }
    const [, name, operator, quoted, bare = ""] = /^([\w.]+)\s*(!=|[=:])\s*(?:"([^"]*)"|(.+))$/s.exec(token) ?? [];
    if (name === undefined || !fields.includes(name)) return refuse();
    return (field) => matchesValue(field(name), quoted ?? bare) === (operator !== "!=");
  };

  if (tokens.length === 0) return () => true;
  const filter = either();
  return tokens.length === 0 ? filter : refuse();
}

function matchesValue(actual: unknown, wanted: string): boolean {
  if (Array.isArray(actual)) return actual.some((value) => matchesValue(value, wanted));
  return wanted.endsWith("*") ? String(actual).startsWith(wanted.slice(0, -1)) : String(actual) === wanted;
}
