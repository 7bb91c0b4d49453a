import { existsSync } from "node:fs";
import { mkdir, open, readFile, readdir, rm } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError } from "../../errors/cli-error.ts";
import { fileErrorReason, unwritable } from "../../errors/file-error.ts";
import { closestMatch } from "../../errors/closest-match.ts";
import { SCHEMA_URL } from "../../settings/json-schema.ts";

export const TEMPLATES = ["hono", "express", "flask", "fastapi"] as const;

type TemplateName = (typeof TEMPLATES)[number];

interface ScaffoldOptions {
  /** One of TEMPLATES. */
  template: string;
  /** Where to write: a folder that is missing or empty. Missing parents are made. */
  directory: string;
  /** The name of the service, which becomes the name of all that is written. */
  service: string;
  /** What else `cloudrun-oauth.json` is to hold, beside the service. */
  settings?: Readonly<Record<string, string>>;
  /** Where the templates lie. */
  templatesDirectory?: string;
}

const TEMPLATES_DIRECTORY = findTemplates(dirname(fileURLToPath(import.meta.url)));

// What working on a template itself leaves behind.
const LEFTOVERS = new Set(["node_modules", "__pycache__", ".pytest_cache", ".venv", ".DS_Store"]);

/**
 * Copies a template into a folder, under the service's name, and writes `cloudrun-oauth.json`.
 * Gives back the paths of the files written, relative to the folder, with slashes, sorted.
 * Writes all or nothing. Throws a CliError, `USAGE`: no such template, the folder holds something
 * already, the folder cannot be written.
 */
export async function scaffold({
  template,
  directory,
  service,
  settings = {},
  templatesDirectory = TEMPLATES_DIRECTORY,
}: ScaffoldOptions): Promise<string[]> {
  if (!isTemplate(template)) throw unknownTemplate(template);
  await assertFree(directory);
  const files = await readTemplate(join(templatesDirectory, template), service);
  files.set("cloudrun-oauth.json", json({ $schema: SCHEMA_URL, service, ...settings }));
  await writeAll(directory, files);
  return [...files.keys()].toSorted();
}

/** The package's `templates/`: this code lies at different depths in `src/` and in `dist/`. */
function findTemplates(directory: string): string {
  const templates = join(directory, "templates");
  return existsSync(templates) || dirname(directory) === directory ? templates : findTemplates(dirname(directory));
}

function isTemplate(name: string): name is TemplateName {
  return (TEMPLATES as readonly string[]).includes(name);
}

function unknownTemplate(name: string): CliError {
  const near = closestMatch(name, TEMPLATES);
  return new CliError("USAGE", `There is no template "${name}": the templates are ${TEMPLATES.join(", ")}.`, {
    hint: near ? `Did you mean --template ${near}?` : `Choose one: --template ${TEMPLATES[0]}`,
  });
}

/** Throws USAGE where a folder holds something already, or cannot be looked into. */
export async function assertFree(directory: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    if (code === "ENOTDIR") throw inTheWay(`${directory} is a file, or lies under one.`, error);
    throw new CliError("USAGE", `${directory} cannot be read: ${fileErrorReason(error)}.`, { hint: ELSEWHERE, cause: error });
  }
  // A repository that was just made or cloned is as good as empty.
  const taken = names.filter((name) => name !== ".git").toSorted();
  if (taken.length === 0) return;
  const more = taken.length > 3 ? ` and ${taken.length - 3} more` : "";
  throw inTheWay(`${directory} is not empty: it holds ${taken.slice(0, 3).join(", ")}${more}.`);
}

const ELSEWHERE = "Name another folder: cloudrun-oauth init FOLDER";

function inTheWay(message: string, cause?: unknown): CliError {
  return new CliError("USAGE", message, { hint: "Name a folder that is empty or does not exist: cloudrun-oauth init FOLDER", cause });
}

async function readTemplate(root: string, service: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = relative(root, join(entry.parentPath, entry.name)).split(sep);
    if (!entry.isFile() || path.some((name) => LEFTOVERS.has(name))) continue;
    const text = await readFile(join(root, ...path), "utf8");
    files.set(installedName(path.join("/")), renamed(entry.name, text, service));
  }
  return files;
}

/** npm leaves `.gitignore` files out of what it publishes, so templates keep theirs without the dot. */
function installedName(path: string): string {
  return path === "gitignore" ? ".gitignore" : path;
}

function renamed(file: string, text: string, service: string): string {
  if (file === "README.md") return text.replace(/^# .*/, () => `# ${service}`);
  if (file === "package.json") return json({ ...JSON.parse(text), name: service });
  if (file === "package-lock.json") {
    const lock = JSON.parse(text);
    lock.packages[""].name = service;
    return json({ ...lock, name: service });
  }
  return text;
}

async function writeAll(directory: string, files: ReadonlyMap<string, string>): Promise<void> {
  const made: string[] = [];
  try {
    for (const [name, text] of files) {
      const path = join(directory, name);
      const newFolder = await mkdir(dirname(path), { recursive: true });
      if (newFolder !== undefined) made.push(newFolder);
      // "wx": a file that has come up since the folder was looked at is not overwritten.
      const file = await open(path, "wx");
      made.push(path);
      try {
        await file.writeFile(text);
      } finally {
        await file.close();
      }
    }
  } catch (error) {
    for (const path of made.toReversed()) await rm(path, { recursive: true, force: true });
    throw unwritable(directory, error, { hint: ELSEWHERE });
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
