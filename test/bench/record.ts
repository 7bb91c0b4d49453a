import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { join } from "node:path";
import type { Result } from "./measure.ts";
import { renderPlot } from "./plot.ts";
import { cellsOf, HEADINGS } from "./report.ts";
import { judge } from "./verdict.ts";

const [BEGIN, END] = ["<!-- results: npm run bench -->\n", "<!-- end of results -->"];

export interface Machine {
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  /** Processes that wanted a core in the minute before: what the figures suffer from. */
  readonly load: number;
}

/** Looked at before anything is measured. */
export function describeMachine(): Machine {
  const cpu = cpus()[0]?.model.trim() ?? "an unknown processor";
  return { node: process.versions.node, cpu, cores: availableParallelism(), load: Number((loadavg()[0] ?? 0).toFixed(1)) };
}

/** The document of `--json`: each row with its goal, its figure and what that was made of. */
export function toDocument(machine: Machine, results: readonly Result[]) {
  return {
    machine,
    rows: results.map((result) => {
      const { goal } = result;
      const { name, what, figure, unit, limit, less } = goal;
      const head = { name, what, figure, unit, goal: less ? { at_most: limit } : { at_least: limit }, verdict: judge(result) };
      if ("reason" in result) return { ...head, reason: result.reason };
      const { ours, peer, rounds, note } = result;
      return { ...head, ...result.figure, rounds, measured_in: result.unit, ours, peer: peer ?? null, note: note ?? null };
    }),
  };
}

/** Writes docs/bench/: the table into README.md, the plot into ratios.svg. */
export function recordRun(root: string, machine: Machine, results: readonly Result[]): void {
  const folder = join(root, "docs", "bench");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "ratios.svg"), renderPlot(results));
  const page = join(folder, "README.md");
  const text = readFileSync(page, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error("docs/bench/README.md has no place for results.");
  const { node, cpu, cores, load } = machine;
  const table = [HEADINGS, HEADINGS.map(() => "---"), ...results.map(cellsOf)]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`)
    .join("");
  writeFileSync(
    page,
    `${text.slice(0, begin)}${BEGIN}\nMeasured with Node.js ${node} on ${cores} cores (${cpu}). The load average was ${load} at the start.\n\n${table}\n${text.slice(end)}`,
  );
}
