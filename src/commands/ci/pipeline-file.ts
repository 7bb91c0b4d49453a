import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { CliError } from "../../errors/cli-error.ts";
import { unwritable } from "../../errors/file-error.ts";

const INSTEAD = { hint: "To print it instead, pass --print." };

export type FileAction = "write" | "replace" | "keep";

/** Chooses what to do so that a file has a text. Throws USAGE if another pipeline is in the file, and `--force` isn't passed. */
export async function chooseFileAction(path: string, text: string, isForced: boolean): Promise<FileAction> {
  const currentText = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw unwritable(path, error, INSTEAD);
  });
  if (currentText === undefined) return "write";
  if (currentText === text) return "keep";
  if (isForced) return "replace";
  throw new CliError("USAGE", `${path} already exists with different contents.`, {
    hint: "To see the new pipeline, pass --print. To overwrite the file, pass --force.",
  });
}

/** Writes a file whole or not at all, and creates its folder. Throws USAGE if that fails. */
export async function writePipeline(path: string, text: string, action: FileAction): Promise<void> {
  if (action === "keep") return;
  const temporaryPath = `${path}.${crypto.randomUUID()}.new`;
  try {
    await mkdir(dirname(path), { recursive: true });
    // A file that someone else has created in the meantime is not overwritten.
    if (action === "write") return await writeFile(path, text, { flag: "wx" });
    await writeFile(temporaryPath, text, { flag: "wx" });
    await rename(temporaryPath, path);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw unwritable(path, error, INSTEAD);
  }
}
