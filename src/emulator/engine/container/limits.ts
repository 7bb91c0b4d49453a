import type { StartOptions } from "../engine.ts";

// Unlike `--cpus`, a quota can exceed the host's CPUs.
const CPU_PERIOD_MICROSECONDS = 100_000;

export function limitFlags(limits: StartOptions["limits"]): readonly string[] {
  if (!limits) return [];
  // Equal limits leave no swap; Cloud Run has none.
  const memory = `${limits.memory}b`;
  return [
    "--memory",
    memory,
    "--memory-swap",
    memory,
    "--cpu-period",
    String(CPU_PERIOD_MICROSECONDS),
    "--cpu-quota",
    String(Math.round(limits.cpu * CPU_PERIOD_MICROSECONDS)),
  ];
}
