import { readdirSync, readFileSync } from "node:fs";

/** Processes that are no part of a process group, but children of one that is: a signal to the group does not reach them. None where the system does not tell. */
export function findOrphans(group: number): number[] {
  const processes = readProcesses();
  const members = new Set(processes.filter((each) => each.group === group).map(({ pid }) => pid));
  return processes.filter((each) => each.group !== group && members.has(each.parent)).map(({ pid }) => pid);
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

function readProcesses(): Process[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // A program's name, in brackets, may hold anything: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
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
