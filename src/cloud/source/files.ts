import createIgnore, { type Ignore } from "ignore";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { CliError } from "../../errors/cli-error.ts";

const IGNORE_FILE = ".gcloudignore";

/** What gcloud leaves out without a .gcloudignore. See gcloud topic gcloudignore. */
const DEFAULT = [IGNORE_FILE, ".git", ".gitignore"];

/**
 * The paths in a folder that go to Cloud Build, chosen as gcloud chooses them: relative to the folder, with a slash at the end of folders, always in
 * the same order. Links are not followed. Throws SETTINGS_INVALID if .gcloudignore includes a file that it can't, and NOT_FOUND if no file is left
 * or something can't be read.
 */
export async function listSource(directory: string): Promise<string[]> {
  const paths: string[] = [];
  try {
    // gcloud, like git on Linux, distinguishes Dockerfile from dockerfile.
    const ignored = createIgnore({ ignorecase: false }).add(await readPatterns(directory));
    await collect(directory, "", ignored, paths);
  } catch (error) {
    throw sourceUnreadable(error);
  }
  if (!paths.every((path) => path.endsWith("/"))) return paths;
  throw new CliError("NOT_FOUND", `No files to build in ${directory}.`, { hint: "Its .gcloudignore might exclude all files." });
}

/** The error for a file that can't be opened, or that disappears or shrinks while it is read; returns any other error as it is. */
export function sourceUnreadable(error: unknown): unknown {
  const { path, code } = error as NodeJS.ErrnoException;
  if (error instanceof CliError || !path) return error;
  return new CliError("NOT_FOUND", `Can't read ${path}${code ? ` (${code})` : ""}.`, {
    hint: "Exclude the file in .gcloudignore, or don't change the directory during a build.",
    cause: error,
  });
}

async function collect(directory: string, folder: string, ignored: Ignore, paths: string[]): Promise<void> {
  const entries = await readdir(join(directory, folder), { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = folder + entry.name;
    const isFolder = entry.isDirectory();
    // A pattern for folders also matches a link to one.
    const target = entry.isSymbolicLink() ? await stat(join(directory, path)).catch(() => undefined) : undefined;
    // Anything but a file, a folder or a link to something that exists can't be sent.
    if (!isFolder && !entry.isFile() && !target) continue;
    if (ignored.ignores(isFolder || target?.isDirectory() ? `${path}/` : path)) continue;
    paths.push(isFolder ? `${path}/` : path);
    if (isFolder) await collect(directory, `${path}/`, ignored, paths);
  }
}

async function readPatterns(directory: string): Promise<string[]> {
  const text = await read(join(directory, IGNORE_FILE));
  if (text === undefined) return [...DEFAULT, ...lines((await read(join(directory, ".gitignore"))) ?? "")];
  const patterns = lines(text).map(async (line) => {
    const included = /^#\s*!include:(.*)$/.exec(line)?.[1]?.trim();
    return included === undefined ? line : readIncluded(directory, included);
  });
  return (await Promise.all(patterns)).flat();
}

async function readIncluded(directory: string, name: string): Promise<string[]> {
  const text = name === "" || name.includes("/") ? undefined : await read(join(directory, name));
  if (text !== undefined) return lines(text);
  throw new CliError("SETTINGS_INVALID", `${join(directory, IGNORE_FILE)} includes "${name}", which isn't a file in the same directory.`, {
    hint: "Use the name of a file in the same directory, for example #!include:.gitignore.",
  });
}

function lines(text: string): string[] {
  return text.split(/\r?\n/);
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
