import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { check as checkValue, description, metadata, optional, pipe, safeParse, strictObject, string } from "valibot";
import { CliError } from "../errors/cli-error.ts";
import { suggestMatch } from "../errors/closest-match.ts";
import { readInline } from "./inline-credentials.ts";
import { assertAllowed, explainInvalid, ruleAsJsonSchema } from "./rules.ts";

const FILE_NAME = "cloudrun-oauth.json";

/** The shape of the file, and of its JSON schema. A function, since most folders don't have the file. */
export const projectFileShape = () =>
  strictObject({
    $schema: optional(pipe(string(), description("JSON schema for this file, for editors"))),
    project: setting("project", "Google Cloud project ID"),
    region: setting("region", "Cloud Run region"),
    service: setting("service", "Cloud Run service name"),
    image: setting("image", "Container image to build and deploy"),
    template: setting("template", "Template for init: hono, express, flask, or fastapi"),
    credentials: setting("credentials", "Key file or other credential file for calls to the service, relative to this file"),
    impersonate: setting("impersonate", "Service account to impersonate, or a comma-separated delegation chain"),
    member: setting("member", "Member to grant access to: an email address, group:…, domain:…, or allUsers"),
    url: setting("url", "Service URL (default: looked up)"),
    via: setting("via", "Control plane client: gcloud or api"),
    engine: setting("engine", "How the emulator runs services: auto, process, or container"),
  });

function setting(name: string, text: string) {
  return optional(
    pipe(
      string(),
      checkValue((value) => explainInvalid(name, value) === undefined),
      description(text),
      metadata(ruleAsJsonSchema(name)),
    ),
  );
}

interface ProjectFile {
  readonly path: string;
  readonly values: Readonly<Record<string, string | undefined>>;
}

/** Reads the nearest cloudrun-oauth.json, in the folder or above it. Throws SETTINGS_INVALID, with file and line, if it isn't valid. */
export function readProjectFile(directory: string): ProjectFile | undefined {
  const path = join(directory, FILE_NAME);
  let text: string;
  try {
    text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    const parent = dirname(directory);
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR")
      throw new CliError("SETTINGS_INVALID", `Can't read ${path}: ${message}.`, { cause: error });
    return parent === directory ? undefined : readProjectFile(parent);
  }
  const values = check(path, text, parse(path, text));
  // A relative path is relative to the file.
  const isPath = values.credentials && readInline(values.credentials) === undefined;
  return { path, values: isPath ? { ...values, credentials: resolve(directory, values.credentials as string) } : values };
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const line = lineOfSyntaxError(text, (error as Error).message);
    throw invalid(`${path} isn't valid JSON (line ${line}).`, path, line, { cause: error });
  }
}

function check(path: string, text: string, value: unknown): Record<string, string | undefined> {
  const shape = projectFileShape();
  const { success, output, issues } = safeParse(shape, value);
  const key = String(issues?.[0].path?.[0].key ?? "");
  if (Array.isArray(value) || (!success && !key)) throw invalid(`${path} must contain a JSON object.`, path, 1);
  if (success) return output;
  const line = text.slice(0, Math.max(0, text.search(new RegExp(`"${key.replace(/\W/g, "\\$&")}"\\s*:`)))).split("\n").length;
  const known = Object.keys(shape.entries).slice(1);
  if (!(key in shape.entries)) {
    const hint = suggestMatch(key, known) ?? `Settings: ${known.join(", ")}.`;
    throw invalid(`Unknown setting "${key}" in ${path} (line ${line}).`, path, line, { hint });
  }
  const { input } = issues[0];
  if (typeof input === "string") assertAllowed(key, { value: input, source: `${path}, line ${line}` }, { file: path, line });
  throw invalid(`Setting "${key}" in ${path} must be a string (line ${line}).`, path, line);
}

function invalid(
  message: string,
  file: string,
  line: number,
  options: { readonly hint?: string; readonly cause?: unknown } = {},
): CliError {
  return new CliError("SETTINGS_INVALID", message, { ...options, details: { file, line } });
}

/** V8's message has a position, or quotes the text around it, or neither if the text ends too early. */
function lineOfSyntaxError(text: string, message: string): number {
  const position = /at position (\d+)/.exec(message)?.[1];
  const [, token, excerpt] = /token '([\s\S]+?)', (?:\.{3})?"([\s\S]*?)"(?:\.{3})? is not valid JSON/.exec(message) ?? [];
  let end = text.trimEnd().length;
  if (position !== undefined) end = Number(position);
  else if (token !== undefined && excerpt !== undefined) end = text.indexOf(excerpt) + Math.max(0, excerpt.indexOf(token, 1));
  return text.slice(0, end).split("\n").length;
}
