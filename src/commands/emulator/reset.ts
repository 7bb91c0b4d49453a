import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../context/context.ts";
import { claimHome, emulatorHome, releaseHome } from "../../emulator/index.ts";
import { CliError } from "../../errors/cli-error.ts";
import { findEmulator, planAdminRequest, sendToEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";
import { printPlan } from "../../context/print-plan.ts";

const RESET = { method: "POST", path: "/_emulator/reset" } as const;

/** Deletes all services, builds, images, accounts, and grants. A running emulator keeps its address and its two key files. */
export async function emulatorReset(context: Context, options: EmulatorFlags): Promise<void> {
  const { dryRun, terminal } = context;
  const home = emulatorHome(context, options.dataDir);
  const running = await findEmulator(context, options);
  const data = running?.data_dir ?? join(home, "data");
  if (dryRun) return printPlan(terminal, [running ? planAdminRequest(running, RESET) : `rm -r ${data}`]);
  if (!(await terminal.confirm(`Delete all emulator data in ${data}?`))) return terminal.note("Nothing was deleted.");
  if (running) await sendToEmulator(context, running, RESET);
  else await removeData(home);
  if (terminal.json) terminal.printJson({ reset: true, data_dir: data });
  else terminal.print("Deleted all emulator data.\n");
}

async function removeData(home: string): Promise<void> {
  if (!(await claimHome(home)))
    throw new CliError("EMULATOR_FAILED", "An emulator is starting or stopping.", { hint: "Try again in a moment." });
  try {
    rmSync(join(home, "data"), { recursive: true, force: true });
  } finally {
    releaseHome(home);
  }
}
