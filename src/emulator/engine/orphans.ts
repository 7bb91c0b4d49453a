import { readdirSync, readFileSync } from "node:fs";

/**
 * Finds processes that left a process group but whose parent is still in it: a signal to the group doesn't reach them. Returns an empty
 * list if the system has no /proc.
 */
export function findOrphans(group: number): number[] {
  const processes = readProcesses();
  const members = new Set(processes.filter((candidate) => candidate.group === group).map(({ pid }) => pid));
  return processes.filter((candidate) => candidate.group !== group && members.has(candidate.parent)).map(({ pid }) => pid);
}

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

function readProcesses(): ProcessEntry[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // The program's name, in parentheses, can contain any characters: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
      const [, parent, group] = readFileSync(`/proc/${name}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")
        .map(Number);
      return [{ pid: Number(name), parent: parent as number, group: group as number }];
    } catch {
      return [];
    }
  });
}
