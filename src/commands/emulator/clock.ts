import { requestEmulator, planAdminRequest, requireEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { CliError } from "../../errors/cli-error.ts";

interface ClockTime {
  /** RFC 3339. */
  readonly now: string;
  readonly shift_ms: number;
}

const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const path = "/_emulator/clock";

/** Shows the emulator's time, after changing it: by `+2h` or `-30s`, to a time of RFC 3339, or back with `reset`. */
export async function emulatorClock(context: Context, change: string | undefined, options: EmulatorFlags): Promise<void> {
  const { dryRun, terminal } = context;
  const running = await requireEmulator(context, options);
  let time = await requestEmulator<ClockTime>(context, running, { method: "GET", path });
  if (change !== undefined) {
    const request = { method: "PUT", path, body: { shift_ms: readShift(change, time.shift_ms) } } as const;
    if (dryRun) return printPlan(terminal, [planAdminRequest(running, request)]);
    time = await requestEmulator(context, running, request);
  }
  if (terminal.json) return terminal.printJson(time);
  terminal.print(`${time.now}${time.shift_ms === 0 ? "" : ` (${time.shift_ms > 0 ? "+" : ""}${time.shift_ms / 1000} s)`}\n`);
}

/** Returns how far the emulator's clock will be ahead of this machine's, in milliseconds. */
function readShift(change: string, currentShiftMs: number): number {
  if (change === "reset") return 0;
  const [, sign, amount, unit = "s"] = /^([+-])(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(change) ?? [];
  if (amount) return currentShiftMs + Number(`${sign}${amount}`) * UNITS_MS[unit as keyof typeof UNITS_MS];
  const time = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(change) ? Date.parse(change) : Number.NaN;
  if (!Number.isNaN(time)) return time - Date.now();
  throw new CliError("USAGE", `Invalid clock change "${change}".`, {
    hint: "Use +2h, -30s, reset, or a time such as 2027-01-31T12:00:00Z.",
  });
}
