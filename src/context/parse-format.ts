import { InvalidArgumentError } from "commander";
import type { Format } from "../terminal/format-values.ts";

/** Parses `table`, `json`, or `value(KEY,KEY)`. */
export function parseFormat(text: string): Format {
  if (text === "table" || text === "json") return text;
  const [, keys] = /^value\(\s*([\w.-]+(?:\s*,\s*[\w.-]+)*)\s*\)$/.exec(text) ?? [];
  if (keys !== undefined) return keys.split(/\s*,\s*/);
  throw new InvalidArgumentError("Use table, json, or value(KEY), for example value(url).");
}
