import { readdirSync, readFileSync } from "node:fs";

/** What a process holds, as /proc has it: https://man7.org/linux/man-pages/man5/proc.5.html */
export interface Held {
  /** Resident memory, in MiB. */
  readonly memory: number;
  /** The most resident memory that it has ever held, in MiB. */
  readonly peak: number;
  readonly files: number;
  readonly children: number;
}

/** Looks at a running process of the same user, on Linux. */
export function look(pid: number): Held {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const mebibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]) / 1024;
  return {
    memory: mebibytes("VmRSS"),
    peak: mebibytes("VmHWM"),
    files: readdirSync(`/proc/${pid}/fd`).length,
    children: countChildren(pid),
  };
}

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

/** Zombies count too: they are children that nobody has waited for. */
function countChildren(pid: number): number {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((child) => parentOf(child) === pid).length;
}

function parentOf(pid: string): number | undefined {
  try {
    const [, parent] = readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    return Number(parent);
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}
