import type { Goal } from "./goals.ts";
import type { Result } from "./measure.ts";

/** How far beyond its goal a figure may be before `--check` fails: another run of the same code differs by as much. */
const TOLERANCE = 0.15;

/** How far a figure is from its goal: 1 is at it, less is better than it, 2 is twice as bad. */
export function distance({ limit, less }: Goal, figure: number): number {
  return less ? figure / limit : limit / figure;
}

type Verdict = "met" | "missed" | "far off" | "not measured";

/** Holds a row against its goal; "far off" is beyond the tolerance. */
export function judge(result: Result): Verdict {
  if ("reason" in result) return "not measured";
  const away = distance(result.goal, result.figure.median);
  if (away <= 1) return "met";
  return away <= 1 + TOLERANCE ? "missed" : "far off";
}

/** What `--check` fails for: rows that are far off, and rows that failed. What the machine lacks is not held against anybody. */
export function findMisses(results: readonly Result[]): readonly Result[] {
  return results.filter((result) => ("reason" in result ? result.failed : judge(result) === "far off"));
}
