import type { Context } from "../../context/context.ts";
import { findEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";

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
    return terminal.note("Start one:  cloudrun-oauth emulator start --detach");
  }
  terminal.printTable([
    ["URL", running.url],
    ["PID", String(running.pid)],
    ["PROJECT", running.project],
    ["DATA", running.data_dir],
    ["ENGINE", running.engine.program ?? running.engine.name ?? "not looked for yet"],
    ...running.engine.passed_over.map((reason) => ["PASSED OVER", reason]),
    ...running.services.map(({ name, url, ready }) => ["SERVICE", `${name}  ${url}${ready ? "" : "  (not ready)"}`]),
  ]);
}
