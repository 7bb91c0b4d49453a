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

interface CopyOptions {
  template: string;
  /** The folder to write to, which is empty or doesn't exist. Missing parents are created. */
  directory: string;
  /** The name of the service, which also becomes the name of the package and the title of the README. */
  service: string;
  settings?: Readonly<Record<string, string>>;
  templatesDirectory?: string;
}

const TEMPLATES_DIRECTORY = findTemplates(dirname(fileURLToPath(import.meta.url)));

/** Files that working on a template leaves behind. */
const LEFTOVERS = new Set(["node_modules", "__pycache__", ".pytest_cache", ".venv", ".DS_Store"]);

/**
 * Copies a template into a folder, under the service's name, and writes `cloudrun-oauth.json`. Returns the paths of the files, relative to the
 * folder, with slashes, sorted. Writes all files or none. Throws USAGE if the template doesn't exist, the folder isn't empty or can't be written.
 */
export async function copyTemplate({
  template,
  directory,
  service,
  settings = {},
  templatesDirectory = TEMPLATES_DIRECTORY,
}: CopyOptions): Promise<string[]> {
  if (!isTemplate(template)) throw unknownTemplate(template);
  await assertEmpty(directory);
  const files = await readTemplate(join(templatesDirectory, template), service);
  files.set("cloudrun-oauth.json", toJson({ $schema: SCHEMA_URL, service, ...settings }));
  await writeAll(directory, files);
  return [...files.keys()].toSorted();
}

/** The package's `templates/`, from a folder in `src/` or, at another depth, in `dist/`. */
function findTemplates(directory: string): string {
  const templates = join(directory, "templates");
  return existsSync(templates) || dirname(directory) === directory ? templates : findTemplates(dirname(directory));
}

function isTemplate(name: string): name is TemplateName {
  return (TEMPLATES as readonly string[]).includes(name);
}

function unknownTemplate(name: string): CliError {
  const suggestion = closestMatch(name, TEMPLATES);
  return new CliError("USAGE", `Unknown template "${name}". Templates: ${TEMPLATES.join(", ")}.`, {
    ...(suggestion && { hint: `Did you mean "${suggestion}"?` }),
  });
}

/** Throws USAGE if a folder isn't empty or can't be read; a folder that doesn't exist is fine. */
export async function assertEmpty(directory: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    if (code === "ENOTDIR") throw notEmpty(`${directory} isn't a directory.`, error);
    throw new CliError("USAGE", `Can't read ${directory}: ${fileErrorReason(error)}.`, { hint: HINT, cause: error });
  }
  // A new or freshly cloned repository counts as empty.
  const otherNames = names.filter((name) => name !== ".git").toSorted();
  if (otherNames.length === 0) return;
  const more = otherNames.length > 3 ? ` and ${otherNames.length - 3} more` : "";
  throw notEmpty(`${directory} isn't empty: it contains ${otherNames.slice(0, 3).join(", ")}${more}.`);
}

const HINT = "Choose a new or empty directory.";

function notEmpty(message: string, cause?: unknown): CliError {
  return new CliError("USAGE", message, { hint: HINT, cause });
}

async function readTemplate(root: string, service: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = relative(root, join(entry.parentPath, entry.name)).split(sep);
    if (!entry.isFile() || path.some((name) => LEFTOVERS.has(name))) continue;
    const text = await readFile(join(root, ...path), "utf8");
    files.set(nameInService(path.join("/")), withServiceName(entry.name, text, service));
  }
  return files;
}

/** npm doesn't publish `.gitignore` files, so the templates' files have no dot. */
function nameInService(path: string): string {
  return path === "gitignore" ? ".gitignore" : path;
}

function withServiceName(file: string, text: string, service: string): string {
  if (file === "README.md") return text.replace(/^# .*/, () => `# ${service}`);
  if (file === "package.json") return toJson({ ...JSON.parse(text), name: service });
  if (file === "package-lock.json") {
    const lock = JSON.parse(text);
    lock.packages[""].name = service;
    return toJson({ ...lock, name: service });
  }
  return text;
}

async function writeAll(directory: string, files: ReadonlyMap<string, string>): Promise<void> {
  const createdPaths: string[] = [];
  try {
    for (const [name, text] of files) {
      const path = join(directory, name);
      const newFolder = await mkdir(dirname(path), { recursive: true });
      if (newFolder !== undefined) createdPaths.push(newFolder);
      // "wx" doesn't overwrite a file that was created after the check.
      const file = await open(path, "wx");
      createdPaths.push(path);
      try {
        await file.writeFile(text);
      } finally {
        await file.close();
      }
    }
  } catch (error) {
    for (const path of createdPaths.toReversed()) await rm(path, { recursive: true, force: true });
    throw unwritable(directory, error, { hint: HINT });
  }
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
