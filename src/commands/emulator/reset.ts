import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../context/context.ts";
import { claimHome, emulatorHome, releaseHome } from "../../emulator/index.ts";
import { CliError } from "../../errors/cli-error.ts";
import { findEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";
import { printPlan } from "../../context/print-plan.ts";

/** Deletes all services, builds, images, accounts, and grants. A running emulator keeps its address and its two key files. */
export async function emulatorReset(context: Context, options: EmulatorFlags): Promise<void> {
  const home = emulatorHome(context, options.dataDir);
  const running = await findEmulator(context, options);
  const data = running?.data_dir ?? join(home, "data");
  if (context.dryRun) return printPlan(context.terminal, [running ? `POST ${running.url}/_emulator/reset` : `rm -r ${data}`]);
  if (!(await context.terminal.confirm(`Forget everything in ${data}?`))) return;
  if (running) await resetRunning(context, running.url);
  else await removeData(home);
  if (context.terminal.json) context.terminal.printJson({ reset: true, data_dir: data });
  else context.terminal.print("The emulator is as new.\n");
}

async function resetRunning(context: Context, url: string): Promise<void> {
  const response = await context.send({ method: "POST", url: `${url}/_emulator/reset`, headers: [["X-Cloudrun-Oauth", "emulator"]] });
  if (response.status !== 200) throw new CliError("EMULATOR_FAILED", `The emulator answered ${response.status} to the reset.`);
}

async function removeData(home: string): Promise<void> {
  if (!(await claimHome(home)))
    throw new CliError("EMULATOR_FAILED", "The emulator is just being started.", { hint: "Try again in a moment" });
  try {
    rmSync(join(home, "data"), { recursive: true, force: true });
  } finally {
    releaseHome(home);
  }
}
