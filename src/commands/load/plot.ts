import { PERCENTILES, type Latencies } from "./latencies.ts";
import { formatLatency } from "./print-report.ts";
import type { Interval } from "./load-stats.ts";

interface Plot {
  readonly title: string;
  readonly latencies: Latencies;
  readonly intervals: readonly Interval[];
}

/** A point by its position on the horizontal axis, from 0 to 1. */
type Point = readonly [position: number, latencyMs: number];

interface Panel {
  readonly top: number;
  readonly label: string;
  readonly lines: readonly { readonly name: string; readonly color: string; readonly points: readonly Point[] }[];
  /** The labels of the horizontal axis. */
  readonly ticks: readonly (readonly [position: number, text: string])[];
}

const [WIDTH, LEFT, RIGHT, HEIGHT, GAP] = [800, 70, 20, 220, 80];
const INNER_WIDTH = WIDTH - LEFT - RIGHT;
const [GREEN, BLUE, RED] = ["#188038", "#1a73e8", "#d93025"];

/** Draws an SVG of the latencies over time and by percentile, on logarithmic scales. */
export function drawPlot({ title, latencies, intervals }: Plot): string {
  const [minMs, maxMs] = decades(Math.max(latencies.min, 0.001), Math.max(latencies.max, 0.01));
  const panels = [overTime(intervals), byPercentile(latencies)];
  const height = GAP + panels.length * (HEIGHT + GAP);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="28" font-size="15">${escapeXml(title)}</text>`,
    ...panels.flatMap((panel) => drawPanel(panel, minMs, maxMs)),
    "</svg>\n",
  ].join("\n");
}

function overTime(intervals: readonly Interval[]): Panel {
  const answered = intervals.filter((interval) => interval.answered > 0);
  const endMs = Math.max(answered.at(-1)?.atMs ?? 0, 1);
  const line = (name: "p50" | "p99" | "max", color: string) => ({
    name,
    color,
    points: answered.map((interval): Point => [interval.atMs / endMs, interval[`${name}Ms`]]),
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (position) => [position, `${((position * endMs) / 1000).toFixed(endMs < 10_000 ? 1 : 0)} s`] as const,
  );
  return { top: GAP, label: "Latency over time", lines: [line("max", RED), line("p99", BLUE), line("p50", GREEN)], ticks };
}

/** The horizontal axis counts the nines of the percentile. */
function byPercentile(latencies: Latencies): Panel {
  const nines = Math.min(5, Math.max(1, Math.log10(Math.max(latencies.count, 1))));
  const positionOf = (percent: number): number => -Math.log10(1 - percent / 100) / nines;
  const points = Array.from({ length: 201 }, (_, index): Point => {
    const percent = 100 * (1 - 10 ** ((-nines * index) / 200));
    return [index / 200, latencies.percentile(percent)];
  });
  const ticks = [0, ...PERCENTILES, 99.99]
    .filter((percent) => positionOf(percent) <= 1)
    .map((percent) => [positionOf(percent), `${percent}%`] as const);
  return { top: GAP + HEIGHT + GAP, label: "Latency by percentile", lines: [{ name: "all responses", color: BLUE, points }], ticks };
}

function drawPanel({ top, label, lines, ticks }: Panel, minMs: number, maxMs: number): string[] {
  const x = (position: number): string => (LEFT + position * INNER_WIDTH).toFixed(1);
  const y = (latencyMs: number): string =>
    (top + HEIGHT - (Math.log10(Math.max(latencyMs, minMs) / minMs) / Math.log10(maxMs / minMs)) * HEIGHT).toFixed(1);
  const elements = [`<text x="${LEFT}" y="${top - 12}" font-weight="bold">${label}</text>`];
  for (let bound = minMs; bound <= maxMs * 1.001; bound *= 10) {
    elements.push(`<path d="M${LEFT} ${y(bound)}H${WIDTH - RIGHT}" stroke="#dadce0"/>`);
    elements.push(`<text x="${LEFT - 8}" y="${Number(y(bound)) + 4}" text-anchor="end">${formatLatency(bound)}</text>`);
  }
  for (const [position, text] of ticks)
    elements.push(`<text x="${x(position)}" y="${top + HEIGHT + 18}" text-anchor="middle">${text}</text>`);
  for (const [index, { name, color, points }] of lines.entries()) {
    const path = points.map(([position, latencyMs]) => `${x(position)} ${y(latencyMs)}`).join("L");
    if (points.length === 1)
      elements.push(`<circle cx="${x(points[0]?.[0] ?? 0)}" cy="${y(points[0]?.[1] ?? 0)}" r="2.5" fill="${color}"/>`);
    else if (points.length > 1) elements.push(`<path d="M${path}" fill="none" stroke="${color}" stroke-width="1.5"/>`);
    elements.push(`<text x="${WIDTH - RIGHT - 70 * index}" y="${top - 12}" text-anchor="end" fill="${color}">${name}</text>`);
  }
  return elements;
}

/** The powers of ten around two values; at least two powers. */
function decades(min: number, max: number): readonly [min: number, max: number] {
  const lower = Math.floor(Math.log10(min));
  const upper = Math.ceil(Math.log10(max));
  return [10 ** lower, 10 ** Math.max(upper, lower + 1)];
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
