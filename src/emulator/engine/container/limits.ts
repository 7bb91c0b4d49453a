import type { StartOptions } from "../engine.ts";

// In microseconds; unlike `--cpus`, a quota may be more than the machine has.
const PERIOD = 100_000;

/** How docker and podman are told what an instance may use. */
export function limitFlags(limits: StartOptions["limits"]): readonly string[] {
  if (!limits) return [];
  // The same limit for both leaves no swap, of which Cloud Run has none.
  const memory = `${limits.memory}b`;
  return [
    "--memory",
    memory,
    "--memory-swap",
    memory,
    "--cpu-period",
    String(PERIOD),
    "--cpu-quota",
    String(Math.round(limits.cpu * PERIOD)),
  ];
}
