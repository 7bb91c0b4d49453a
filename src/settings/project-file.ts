import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { optional, safeParse, strictObject, string } from "valibot";
import { CliError } from "../errors.ts";
import { readInline } from "./inline-credentials.ts";

const NAME = "cloudrun-oauth.json";

const shape = strictObject({
  $schema: optional(string()),
  project: optional(string()),
  region: optional(string()),
  service: optional(string()),
  image: optional(string()),
  template: optional(string()),
  credentials: optional(string()),
  impersonate: optional(string()),
  member: optional(string()),
  url: optional(string()),
  via: optional(string()),
  engine: optional(string()),
});

interface ProjectFile {
  readonly path: string;
  readonly values: Readonly<Record<string, string | undefined>>;
}

/** The nearest cloudrun-oauth.json, from the folder upwards. Throws SETTINGS_INVALID, with file and line, where it is broken. */
export function readProjectFile(directory: string): ProjectFile | undefined {
  const path = join(directory, NAME);
  let text: string;
  try {
    text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    const parent = dirname(directory);
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR")
      throw new CliError("SETTINGS_INVALID", `${path} cannot be read: ${message}.`, { cause: error });
    return parent === directory ? undefined : readProjectFile(parent);
  }
  const values = check(path, text, parse(path, text));
  // A relative path is relative to the file that it stands in.
  const isPath = values.credentials && readInline(values.credentials) === undefined;
  return { path, values: isPath ? { ...values, credentials: resolve(directory, values.credentials as string) } : values };
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw broken(path, lineOfSyntaxError(text, (error as Error).message), "it is not JSON", error);
  }
}

function check(path: string, text: string, value: unknown): Record<string, string | undefined> {
  const { success, output, issues } = safeParse(shape, value);
  if (Array.isArray(value)) throw broken(path, 1, "it has to be an object");
  if (success) return output;
  const [issue] = issues;
  const key = String(issue.path?.[0].key ?? "");
  const line = text.slice(0, Math.max(0, text.search(new RegExp(`"${key.replace(/\W/g, "\\$&")}"\\s*:`)))).split("\n").length;
  if (!key) throw broken(path, 1, "it has to be an object");
  if (key in shape.entries) throw broken(path, line, `"${key}" has to be a string`);
  throw broken(path, line, `there is no setting "${key}"; there are ${Object.keys(shape.entries).slice(1).join(", ")}`);
}

function broken(path: string, line: number, what: string, cause?: unknown): CliError {
  return new CliError("SETTINGS_INVALID", `${path}, line ${line}: ${what}.`, { cause, details: { file: path, line } });
}

/** V8 tells a position, or quotes what stands around the place, or says nothing where the text ends too soon. */
function lineOfSyntaxError(text: string, message: string): number {
  const position = /at position (\d+)/.exec(message)?.[1];
  const [, token, excerpt] = /token '([\s\S]+?)', (?:\.{3})?"([\s\S]*?)"(?:\.{3})? is not valid JSON/.exec(message) ?? [];
  let end = text.trimEnd().length;
  if (position !== undefined) end = Number(position);
  else if (token !== undefined && excerpt !== undefined) end = text.indexOf(excerpt) + Math.max(0, excerpt.indexOf(token, 1));
  return text.slice(0, end).split("\n").length;
}
