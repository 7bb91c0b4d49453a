import type { Context } from "../../context/context.ts";
import { hasExited, terminateEmulator } from "../../emulator/index.ts";
import { CliError } from "../../errors/cli-error.ts";
import { requireEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";
import { printPlan } from "../../context/print-plan.ts";
import { poll } from "../../http/poll.ts";

/** Instances have ten seconds to stop, as on Cloud Run. */
const STOP_TIMEOUT_MS = 15_000;

/** Stops the running emulator with its services, and returns when they have ended. */
export async function emulatorStop(context: Context, options: EmulatorFlags): Promise<void> {
  const running = await requireEmulator(context, options);
  const { pid, url } = running;
  if (context.dryRun) return printPlan(context.terminal, [`kill ${pid}`]);
  terminateEmulator(running);
  const isStopped = await poll(async () => hasExited(running) || undefined, { firstPauseMs: 50, timeoutMs: STOP_TIMEOUT_MS });
  if (!isStopped) throw new CliError("EMULATOR_FAILED", `The emulator (pid ${pid}) does not end.`, { hint: `kill -9 ${pid}` });
  if (context.terminal.json) context.terminal.printJson({ stopped: true, pid, url });
  else context.terminal.print(`Stopped the emulator at ${url}.\n`);
}
