import type { Context } from "../../context/context.ts";
import { findEmulator, START_STEP, type EmulatorFlags } from "../../context/emulator-client.ts";

/** Shows whether an emulator runs, and its services. */
export async function emulatorStatus(context: Context, options: EmulatorFlags): Promise<void> {
  const { terminal } = context;
  const running = await findEmulator(context, options);
  if (terminal.json) {
    const { pid = null, url = null, project = null, data_dir = null, engine = null, services = [] } = running ?? {};
    return terminal.printJson({ running: running !== undefined, pid, url, project, data_dir, engine, services });
  }
  if (!running) {
    terminal.print("No emulator is running.\n");
    return terminal.nextSteps([START_STEP]);
  }
  const { url, pid, project, data_dir, engine, services } = running;
  terminal.printTable([
    ["URL", url],
    ["PID", String(pid)],
    ["PROJECT", project],
    ["DATA", data_dir],
    ["ENGINE", engine.program ?? engine.name ?? "chosen at the first deployment"],
    ...engine.passed_over.map((reason) => ["CONTAINERS", `unavailable: ${reason}`]),
    ...services.map(({ name, url, ready }) => ["SERVICE", `${name}  ${url}${ready ? "" : `  ${terminal.style("yellow", "(not ready)")}`}`]),
  ]);
}
