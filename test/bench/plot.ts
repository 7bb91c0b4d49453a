import type { Measured, Result } from "./measure.ts";
import { show } from "./report.ts";
import { distance, judge } from "./verdict.ts";

/** Pixels. */
const [LABELS, PLOT, FIGURES, ROW, TOP] = [440, 360, 150, 24, 46] as const;
/** The axis: how many times as bad as the goal. */
const [BEST, WORST] = [1 / 8, 4] as const;
const TICKS = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4] as const;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .quiet { fill: #57606a; } .tick { font-size: 11px; } .grid { stroke: #d0d7de; } .goal { stroke: #24292f; stroke-width: 1.5; }
  .met { fill: #1a7f37; stroke: #1a7f37; } .missed { fill: #9a6700; stroke: #9a6700; } .far { fill: #cf222e; stroke: #cf222e; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .quiet { fill: #8d96a0; } .grid { stroke: #30363d; } .goal { stroke: #e6edf3; }
    .met { fill: #3fb950; stroke: #3fb950; } .missed { fill: #d29922; stroke: #d29922; } .far { fill: #f85149; stroke: #f85149; }
  }`;

/** An SVG with a line for each row: its median and its middle half, as multiples of its goal. */
export function renderPlot(results: readonly Result[]): string {
  const height = TOP + results.length * ROW + 12;
  const grid = TICKS.map((tick) => {
    const x = place(tick);
    const name = tick === 1 ? "goal" : tick < 1 ? `${1 / tick} × better` : `${tick} × worse`;
    return `  <line class="${tick === 1 ? "goal" : "grid"}" x1="${x}" x2="${x}" y1="${TOP - 10}" y2="${height - 12}"/>
  <text class="quiet tick" x="${x}" y="${TOP - 18}" text-anchor="middle">${name}</text>`;
  });
  const rows = results.map((result, index) => renderRow(result, TOP + index * ROW + ROW / 2));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LABELS + PLOT + FIGURES} ${height}" role="img" aria-label="Each row's result, as a multiple of its goal">
<style>${STYLE}
</style>
${[...grid, ...rows].join("\n")}
</svg>
`;
}

function renderRow(result: Result, y: number): string {
  const label = `  <text x="${LABELS - 16}" y="${y + 4}" text-anchor="end">${escape(result.goal.what)}</text>`;
  const at = LABELS + PLOT + 16;
  if ("reason" in result) return `${label}\n  <text class="quiet" x="${at}" y="${y + 4}">not measured</text>`;
  return `${label}\n${renderFigure(result, y)}\n  <text x="${at}" y="${y + 4}">${escape(show(result.figure.median))} ${result.goal.unit}</text>`;
}

function renderFigure(result: Measured, y: number): string {
  const { goal, figure } = result;
  const tone = judge(result) === "far off" ? "far" : judge(result);
  const [from, to] = [figure.lower, figure.upper].map((each) => place(distance(goal, each))).toSorted((a, b) => a - b);
  return `  <g class="${tone}"><line x1="${from}" x2="${to}" y1="${y}" y2="${y}" stroke-width="4" stroke-opacity="0.4"/><circle cx="${place(distance(goal, figure.median))}" cy="${y}" r="4.5"/></g>`;
}

/** Where a multiple of the goal lies; what is beyond the axis, at its end. */
function place(multiple: number): number {
  const inside = Math.min(Math.max(multiple, BEST), WORST);
  return Number((LABELS + (Math.log2(inside / BEST) / Math.log2(WORST / BEST)) * PLOT).toFixed(1));
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
