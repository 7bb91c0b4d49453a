import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Context } from "../../context/context.ts";
import { requireEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";
import { printPlan } from "../../context/print-plan.ts";
import { unpackBeside } from "./seed/sources.ts";
import { survey } from "./seed/export-seed.ts";
import { unwritable } from "../../errors/file-error.ts";

/** Writes a seed file of what the emulator holds; to stdout where no file is named. No private key is in it. */
export async function emulatorExport(context: Context, path: string | undefined, options: EmulatorFlags): Promise<void> {
  const { terminal } = context;
  const running = await requireEmulator(context, options);
  if (path === undefined) return terminal.printJson(await survey(context, running, async () => undefined));
  const file = resolve(context.cwd, path);
  if (context.dryRun) return printPlan(terminal, [`write ${file}, and beside it the sources that services were built from`]);
  const seed = await terminal.task(`Writing ${path}`, () => survey(context, running, unpackBeside(file)));
  await writeFile(file, `${JSON.stringify(seed, null, 2)}\n`).catch((error: unknown) => {
    throw unwritable(file, error);
  });
  if (terminal.json) terminal.printJson({ file });
  else terminal.print(`${file}\n`);
}
