import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Context } from "../../context/context.ts";
import { requireEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";
import { printPlan } from "../../context/print-plan.ts";
import { unpackSources } from "./seed/sources.ts";
import { exportSeed } from "./seed/export-seed.ts";
import { unwritable } from "../../errors/file-error.ts";

/** Writes the emulator's resources as a seed file, without private keys; without a path, to stdout. */
export async function emulatorExport(context: Context, path: string | undefined, options: EmulatorFlags): Promise<void> {
  const { terminal } = context;
  const running = await requireEmulator(context, options);
  if (path === undefined) return terminal.printJson(await exportSeed(context, running, async () => undefined));
  const file = resolve(context.cwd, path);
  if (context.dryRun) return printPlan(terminal, [`write ${file} and the services' sources`]);
  const seed = await terminal.wait(`Exporting to ${path}`, () => exportSeed(context, running, unpackSources(file)));
  await writeFile(file, `${JSON.stringify(seed, null, 2)}\n`).catch((error: unknown) => {
    throw unwritable(file, error);
  });
  if (terminal.json) terminal.printJson({ file });
  else terminal.print(`${file}\n`);
}
