import type { Context } from "../../context/context.ts";
import { findEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";

/** Says whether an emulator runs, and what it holds. */
export async function emulatorStatus(context: Context, options: EmulatorFlags): Promise<void> {
  const { terminal } = context;
  const found = await findEmulator(context, options);
  if (terminal.json) {
    const { pid = null, url = null, project = null, data_dir = null, engine = null, services = [] } = found ?? {};
    return terminal.printJson({ running: found !== undefined, pid, url, project, data_dir, engine, services });
  }
  if (!found) {
    terminal.print("No emulator is running.\n");
    return terminal.note("Start one:  cloudrun-oauth emulator start --detach");
  }
  terminal.printTable([
    ["URL", found.url],
    ["PID", String(found.pid)],
    ["PROJECT", found.project],
    ["DATA", found.data_dir],
    ["ENGINE", found.engine.program ?? found.engine.name ?? "not looked for yet"],
    ...found.engine.passed_over.map((reason) => ["PASSED OVER", reason]),
    ...found.services.map(({ name, url, ready }) => ["SERVICE", `${name}  ${url}${ready ? "" : "  (not ready)"}`]),
  ]);
}
