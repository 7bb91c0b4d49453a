import createIgnore, { type Ignore } from "ignore";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "tar";
import { CliError } from "../errors.ts";

/** What gcloud leaves out where there is no .gcloudignore. See gcloud topic gcloudignore. */
const DEFAULT = ".gcloudignore\n.git\n.gitignore\n#!include:.gitignore\n";

/** What all files of an archive are said to be of, so that the same files come to the same bytes. Before 1980 there is no time for zip. */
const SOME_TIME = new Date("2000-01-01T00:00:00Z");

/** The folder's files without those that .gcloudignore names, as a gzipped tar. */
export async function archiveSource(directory: string): Promise<Buffer> {
  const files = await listSource(directory);
  // tar would take a name that begins with @ for an archive to copy from.
  const pack = create(
    { gzip: true, cwd: directory, portable: true, mtime: SOME_TIME, noDirRecurse: true },
    files.map((file) => `./${file}`),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The paths of a source's files below its folder, with slashes, sorted. NOT_FOUND where there are none. */
export async function listSource(directory: string): Promise<string[]> {
  const ignored = createIgnore().add(await readIgnoreFile(directory));
  const files = await list(directory, "", ignored);
  if (files.length > 0) return files;
  throw new CliError("NOT_FOUND", `${directory} holds no file to build from.`, { hint: "Does its .gcloudignore leave everything out?" });
}

async function readIgnoreFile(directory: string): Promise<string> {
  const text = (await read(join(directory, ".gcloudignore"))) ?? DEFAULT;
  const lines = text.split(/\r?\n/).map(async (line) => {
    const included = /^#!include:(.+)$/.exec(line)?.[1]?.trim();
    return included ? ((await read(join(directory, included))) ?? "") : line;
  });
  return (await Promise.all(lines)).join("\n");
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function list(directory: string, folder: string, ignored: Ignore): Promise<string[]> {
  const found: string[] = [];
  const entries = await readdir(join(directory, folder), { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    if (entry.isDirectory()) {
      if (!ignored.ignores(`${path}/`)) found.push(...(await list(directory, path, ignored)));
    } else if (!ignored.ignores(path)) found.push(path);
  }
  return found;
}
