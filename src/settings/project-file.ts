import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { check as checkValue, description, metadata, optional, pipe, safeParse, strictObject, string } from "valibot";
import { CliError } from "../errors/cli-error.ts";
import { closestMatch } from "../errors/closest-match.ts";
import { readInline } from "./inline-credentials.ts";
import { faultOf, ruleAsJsonSchema } from "./rules.ts";

const FILE_NAME = "cloudrun-oauth.json";

/** The shape of the file, and of its JSON schema. A function, since most folders don't have the file. */
export const projectFileShape = () =>
  strictObject({
    $schema: optional(pipe(string(), description("the JSON schema of this file, for editors"))),
    project: setting("project", "the Google Cloud project"),
    region: setting("region", "the region"),
    service: setting("service", "the service"),
    image: setting("image", "the image that build pushes and deploy deploys"),
    template: setting("template", "the template that init writes: hono, express, flask or fastapi"),
    credentials: setting("credentials", "the key file, or another credential file, to call the service with; relative to this file"),
    impersonate: setting("impersonate", "the service account to act as; delegates go before it, with commas"),
    member: setting("member", "who may call the service: an e-mail address, group:…, domain:…, allUsers"),
    url: setting("url", "the service's URL, in place of the one that describe finds"),
    via: setting("via", "the way to the control plane"),
    engine: setting("engine", "what the emulator runs services in"),
  });

function setting(name: string, text: string) {
  return optional(
    pipe(
      string(),
      checkValue((value) => faultOf(name, value) === undefined),
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
      throw new CliError("SETTINGS_INVALID", `${path} cannot be read: ${message}.`, { cause: error });
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
    throw invalid(path, lineOfSyntaxError(text, (error as Error).message), "it is not JSON", { cause: error });
  }
}

function check(path: string, text: string, value: unknown): Record<string, string | undefined> {
  const shape = projectFileShape();
  const { success, output, issues } = safeParse(shape, value);
  if (Array.isArray(value)) throw invalid(path, 1, "it has to be an object");
  if (success) return output;
  const [issue] = issues;
  const key = String(issue.path?.[0].key ?? "");
  if (!key) throw invalid(path, 1, "it has to be an object");
  const line = text.slice(0, Math.max(0, text.search(new RegExp(`"${key.replace(/\W/g, "\\$&")}"\\s*:`)))).split("\n").length;
  const known = Object.keys(shape.entries).slice(1);
  if (!(key in shape.entries))
    throw invalid(path, line, `there is no setting "${key}"; there are ${known.join(", ")}`, { meant: closestMatch(key, known) });
  const fault = typeof issue.input === "string" ? faultOf(key, issue.input) : undefined;
  throw invalid(path, line, fault?.sentence ?? `"${key}" has to be a string`, { meant: fault?.meant });
}

function invalid(path: string, line: number, what: string, { meant, cause }: { meant?: string; cause?: unknown } = {}): CliError {
  return new CliError("SETTINGS_INVALID", `${path}, line ${line}: ${what}.`, {
    ...(meant && { hint: `Did you mean ${meant}?` }),
    cause,
    details: { file: path, line },
  });
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
