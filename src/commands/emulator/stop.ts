import type { Context } from "../../context/context.ts";
import { hasExited, terminateEmulator } from "../../emulator/index.ts";
import { CliError } from "../../errors/cli-error.ts";
import { externalStep } from "../../errors/next-step.ts";
import { requireEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";
import { printPlan } from "../../context/print-plan.ts";
import { poll } from "../../http/poll.ts";

/** Instances have ten seconds to stop, as on Cloud Run. */
const STOP_TIMEOUT_MS = 15_000;

/** Stops the running emulator with its services, and returns when they have ended. */
export async function emulatorStop(context: Context, options: EmulatorFlags): Promise<void> {
  const { dryRun, terminal } = context;
  const running = await requireEmulator(context, options);
  const { pid, url } = running;
  if (dryRun) return printPlan(terminal, [`kill ${pid}`]);
  terminateEmulator(running);
  const isStopped = await terminal.wait(`Stopping the emulator (up to ${STOP_TIMEOUT_MS / 1000} seconds)`, () =>
    poll(async () => hasExited(running) || undefined, { firstPauseMs: 50, timeoutMs: STOP_TIMEOUT_MS }),
  );
  if (!isStopped) {
    const next = [externalStep("To end it without a clean stop", "kill", "-9", String(pid))];
    throw new CliError("EMULATOR_FAILED", `Emulator (pid ${pid}) didn't stop.`, { next });
  }
  if (terminal.json) terminal.printJson({ stopped: true, pid, url });
  else terminal.print(`Stopped the emulator at ${url}.\n`);
}
