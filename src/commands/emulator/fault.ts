import type { Context } from "../../context/context.ts";
import { requestEmulator, planEmulatorRequest, type EmulatorFlags } from "../../context/emulator-client.ts";
import { printPlan } from "../../context/print-plan.ts";

interface FaultFlags extends EmulatorFlags {
  readonly match: string;
  readonly method?: string;
  readonly status?: number;
  readonly reason?: string;
  readonly retryAfter?: number;
  readonly latencyMs?: number;
  readonly reset?: boolean;
  readonly truncate?: number;
  readonly times?: number;
}

/** In the spelling of the emulator's admin API. */
interface Fault {
  readonly id: number;
  readonly match: string;
  readonly method?: string;
  readonly status?: number;
  readonly reason?: string;
  readonly retry_after?: number;
  readonly latency_ms?: number;
  readonly reset?: true;
  readonly truncate?: number;
  readonly times?: number;
  readonly struck: number;
}

/** Adds a fault: requests that match it fail from now on. */
export async function faultAdd(context: Context, flags: FaultFlags): Promise<void> {
  const { match, method, latencyMs: latency_ms, reset, reason, status, retryAfter: retry_after, truncate, times } = flags;
  const body = { match, method, latency_ms, reset, reason, status, retry_after, truncate, times };
  if (context.dryRun) return printPlan(context.terminal, await planEmulatorRequest(context, flags, "POST", "/_emulator/faults", body));
  const fault = (await requestEmulator(context, flags, "POST", "/_emulator/faults", body)) as Fault;
  if (context.terminal.json) context.terminal.printJson(fault);
  else context.terminal.printTable([formatRow(fault)]);
}

/** Shows the faults, with how often each was triggered. */
export async function faultList(context: Context, options: EmulatorFlags): Promise<void> {
  show(context, await requestEmulator(context, options, "GET", "/_emulator/faults"));
}

/** Removes a fault by its ID, and shows the others. */
export async function faultRemove(context: Context, id: number, options: EmulatorFlags): Promise<void> {
  await remove(context, options, `/_emulator/faults/${id}`);
}

/** Removes all faults. */
export async function faultClear(context: Context, options: EmulatorFlags): Promise<void> {
  await remove(context, options, "/_emulator/faults");
}

async function remove(context: Context, options: EmulatorFlags, path: string): Promise<void> {
  if (context.dryRun) return printPlan(context.terminal, await planEmulatorRequest(context, options, "DELETE", path));
  show(context, await requestEmulator(context, options, "DELETE", path));
}

function show({ terminal }: Context, response: unknown): void {
  const { faults } = response as { readonly faults: readonly Fault[] };
  if (terminal.json) return terminal.printJson({ faults });
  if (faults.length > 0) terminal.printTable(faults.map(formatRow));
  else terminal.note("No fault lies in wait.");
}

function formatRow({ id, match, method, status, reason, retry_after, latency_ms, reset, truncate, times, struck }: Fault): string[] {
  const effects = [
    ...(latency_ms === undefined ? [] : [`latency ${latency_ms} ms`]),
    ...(status === undefined ? [] : [`status ${status}${reason ? ` (${reason})` : ""}`]),
    ...(retry_after === undefined ? [] : [`retry after ${retry_after} s`]),
    ...(reset ? ["reset"] : []),
    ...(truncate === undefined ? [] : [`truncated after ${truncate} bytes`]),
  ];
  const left = times === undefined ? "always" : `${times} to come`;
  return [String(id), `${method ? `${method} ` : ""}${match}`, effects.join(", "), left, `${struck} struck`];
}
