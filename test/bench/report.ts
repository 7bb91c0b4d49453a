import type { Goal } from "./goals.ts";
import type { Result } from "./measure.ts";
import type { Summary } from "./statistics.ts";
import { judge } from "./verdict.ts";

/** A row as it is shown: what, figure, spread, goal, verdict, and what it was made of. */
export function cellsOf(result: Result): readonly string[] {
  const { goal } = result;
  if ("reason" in result) return [goal.what, "–", "", showGoal(goal), result.failed ? "failed" : "missing", result.reason];
  const { figure, ours, peer, unit, note } = result;
  const parts = [
    ...(goal.figure === "own" ? [] : [`${show(ours.median)} / ${show(peer?.median ?? NaN)} ${unit}`]),
    ...(note === undefined ? [] : [note]),
  ];
  return [goal.what, withUnit(show(figure.median), goal.unit), spread(figure), showGoal(goal), judge(result), parts.join("; ")];
}

export const HEADINGS = ["comparison", "result", "interquartile range", "goal", "", "medians"] as const;

/** The table for a terminal. */
export function renderTable(results: readonly Result[], withColour: boolean): string {
  const rows = [HEADINGS, ...results.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => paint(cell, widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");

  function paint(cell: string, width: number): string {
    const colour = withColour ? COLOURS[cell] : undefined;
    return colour === undefined ? cell.padEnd(width) : `\u001B[${colour}m${cell.padEnd(width)}\u001B[39m`;
  }
}

/** Green, yellow, red: ECMA-48, SGR. */
const COLOURS: Readonly<Record<string, number>> = { met: 32, missed: 33, "far off": 31, failed: 31 };

function showGoal({ less, limit, unit }: Goal): string {
  return `${less ? "≤" : "≥"} ${withUnit(String(limit), unit)}`;
}

function spread({ lower, upper }: Summary): string {
  return lower === upper ? "" : `${show(lower)}–${show(upper)}`;
}

function withUnit(figure: string, unit: string): string {
  return unit === "" ? figure : `${figure} ${unit}`;
}

/** Three digits, as many as there is something behind. */
export function show(figure: number): string {
  if (Math.abs(figure) >= 1000) return Math.round(figure).toLocaleString("en-US");
  return String(Number(figure.toPrecision(3)));
}
