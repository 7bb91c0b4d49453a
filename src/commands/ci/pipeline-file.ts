import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { CliError } from "../../errors/cli-error.ts";
import { unwritable } from "../../errors/file-error.ts";

const INSTEAD = { hint: "Print it instead: --print" };

/** What is to become of a file. */
export type Fate = "write" | "replace" | "keep";

/** What writing a text to a path comes to: a file that has it already is kept. Throws USAGE where another is in the way, and nobody said --force. */
export async function decideFate(path: string, text: string, isForced: boolean): Promise<Fate> {
  const found = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw unwritable(path, error, INSTEAD);
  });
  if (found === undefined) return "write";
  if (found === text) return "keep";
  if (isForced) return "replace";
  throw new CliError("USAGE", `${path} is there already, and is another pipeline.`, {
    hint: "Look at this one with --print, and replace that one with --force.",
  });
}

/** Writes a file whole or not at all, and makes its folder. Throws USAGE where that is not possible. */
export async function writePipeline(path: string, text: string, fate: Fate): Promise<void> {
  if (fate === "keep") return;
  const fresh = `${path}.${crypto.randomUUID()}.new`;
  try {
    await mkdir(dirname(path), { recursive: true });
    // What has come up since it was looked at is not overwritten.
    if (fate === "write") return await writeFile(path, text, { flag: "wx" });
    await writeFile(fresh, text, { flag: "wx" });
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw unwritable(path, error, INSTEAD);
  }
}
