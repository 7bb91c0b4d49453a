import {
  planAdminRequest,
  requestEmulator,
  requireEmulator,
  type AdminRequest,
  type EmulatorFlags,
} from "../../context/emulator-client.ts";
import type { Context } from "../../context/context.ts";
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
interface Fault extends Omit<FaultFlags, "dataDir" | "latencyMs" | "retryAfter"> {
  readonly id: number;
  readonly retry_after?: number;
  readonly latency_ms?: number;
  /** How many times it was triggered. */
  readonly struck: number;
}

const HEADER = ["id", "match", "effect", "remaining", "triggered"];
const path = "/_emulator/faults";

/** Adds a fault: requests that match it fail from now on. */
export async function faultAdd(context: Context, flags: FaultFlags): Promise<void> {
  const { dataDir: _, latencyMs: latency_ms, retryAfter: retry_after, ...others } = flags;
  const fault = await change<Fault>(context, flags, { method: "POST", path, body: { ...others, latency_ms, retry_after } });
  if (!fault) return;
  if (context.terminal.json) context.terminal.printJson(fault);
  else context.terminal.printTable([formatRow(fault)], { header: HEADER });
}

/** Shows the faults, with how often each was triggered. */
export async function faultList(context: Context, options: EmulatorFlags): Promise<void> {
  show(context, await requestEmulator(context, await requireEmulator(context, options), { method: "GET", path }));
}

/** Removes a fault by its ID, and shows the others. */
export async function faultRemove(context: Context, id: number, options: EmulatorFlags): Promise<void> {
  show(context, await change(context, options, { method: "DELETE", path: `${path}/${id}` }));
}

/** Removes all faults. */
export async function faultClear(context: Context, options: EmulatorFlags): Promise<void> {
  show(context, await change(context, options, { method: "DELETE", path }));
}

/** Sends a request that changes something; under `--dry-run` prints it instead, and returns undefined. */
async function change<T>(context: Context, options: EmulatorFlags, request: AdminRequest): Promise<T | undefined> {
  const running = await requireEmulator(context, options);
  if (!context.dryRun) return requestEmulator(context, running, request);
  printPlan(context.terminal, [planAdminRequest(running, request)]);
  return undefined;
}

function show({ terminal }: Context, list: { readonly faults: readonly Fault[] } | undefined): void {
  if (!list) return;
  if (terminal.json) return terminal.printJson({ faults: list.faults });
  if (list.faults.length > 0) terminal.printTable(list.faults.map(formatRow), { header: HEADER });
  else terminal.note("No active faults.");
}

function formatRow({ id, match, method, status, reason, retry_after, latency_ms, reset, truncate, times, struck }: Fault): string[] {
  const effects = [
    latency_ms !== undefined && `latency ${latency_ms} ms`,
    status !== undefined && `status ${status}${reason ? ` (${reason})` : ""}`,
    retry_after !== undefined && `retry after ${retry_after} s`,
    reset && "connection reset",
    truncate !== undefined && `truncated after ${truncate} bytes`,
  ];
  const remaining = times === undefined ? "unlimited" : String(times);
  return [String(id), `${method ? `${method} ` : ""}${match}`, effects.filter(Boolean).join(", "), remaining, String(struck)];
}
