import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../../context/context.ts";
import { hasExited, terminateEmulator } from "../../emulator/index.ts";
import { CliError } from "../../errors/cli-error.ts";
import { requireEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";
import { printPlan } from "../../context/print-plan.ts";

/** Instances have ten seconds to end, as on Cloud Run; milliseconds. */
const STOP_LIMIT = 15_000;

/** Ends the running emulator and the services in it, and returns when they are gone. */
export async function emulatorStop(context: Context, options: EmulatorFlags): Promise<void> {
  const running = await requireEmulator(context, options);
  const { pid, url } = running;
  if (context.dryRun) return printPlan(context.terminal, [`kill ${pid}`]);
  terminateEmulator(running);
  for (const begun = Date.now(); !hasExited(running); await sleep(50)) {
    if (Date.now() - begun > STOP_LIMIT)
      throw new CliError("EMULATOR_FAILED", `The emulator (pid ${pid}) does not end.`, { hint: `kill -9 ${pid}` });
  }
  if (context.terminal.json) context.terminal.printJson({ stopped: true, pid, url });
  else context.terminal.print(`Stopped the emulator at ${url}.\n`);
}
