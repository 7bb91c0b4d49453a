import { PERCENTILES, type Latencies } from "./latencies.ts";
import { showDuration } from "./print-report.ts";
import type { Interval } from "./load-stats.ts";

interface Plot {
  readonly title: string;
  readonly latencies: Latencies;
  readonly intervals: readonly Interval[];
}

/** A point by its place along the axis below, from 0 to 1, and its milliseconds. */
type Point = readonly [along: number, latency: number];

interface Panel {
  readonly top: number;
  readonly label: string;
  readonly lines: readonly { readonly name: string; readonly colour: string; readonly points: readonly Point[] }[];
  /** What stands below the axis. */
  readonly ticks: readonly (readonly [along: number, text: string])[];
}

const [WIDTH, LEFT, RIGHT, HEIGHT, GAP] = [800, 70, 20, 220, 80];
const INNER = WIDTH - LEFT - RIGHT;
const [GREEN, BLUE, RED] = ["#188038", "#1a73e8", "#d93025"];

/** An SVG of the latencies over the time of the run, and by percentile; both upward in powers of ten. */
export function drawPlot({ title, latencies, intervals }: Plot): string {
  const [least, most] = decades(Math.max(latencies.min, 0.001), Math.max(latencies.max, 0.01));
  const panels = [overTime(intervals), byPercentile(latencies)];
  const height = GAP + panels.length * (HEIGHT + GAP);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="28" font-size="15">${escapeXml(title)}</text>`,
    ...panels.flatMap((panel) => drawPanel(panel, least, most)),
    "</svg>\n",
  ].join("\n");
}

function overTime(intervals: readonly Interval[]): Panel {
  const answered = intervals.filter((interval) => interval.answered > 0);
  const end = Math.max(answered.at(-1)?.at ?? 0, 1);
  const line = (name: "p50" | "p99" | "max", colour: string) => ({
    name,
    colour,
    points: answered.map((interval): Point => [interval.at / end, interval[name]]),
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((along) => [along, `${((along * end) / 1000).toFixed(end < 10_000 ? 1 : 0)} s`] as const);
  return { top: GAP, label: "latency over the run", lines: [line("max", RED), line("p99", BLUE), line("p50", GREEN)], ticks };
}

/** As far to the right as there are nines. */
function byPercentile(latencies: Latencies): Panel {
  const nines = Math.min(5, Math.max(1, Math.log10(Math.max(latencies.count, 1))));
  const along = (percent: number): number => -Math.log10(1 - percent / 100) / nines;
  const points = Array.from({ length: 201 }, (_, index): Point => {
    const percent = 100 * (1 - 10 ** ((-nines * index) / 200));
    return [index / 200, latencies.percentile(percent)];
  });
  const ticks = [0, ...PERCENTILES, 99.99]
    .filter((percent) => along(percent) <= 1)
    .map((percent) => [along(percent), `${percent} %`] as const);
  return { top: GAP + HEIGHT + GAP, label: "latency by percentile", lines: [{ name: "all answers", colour: BLUE, points }], ticks };
}

function drawPanel({ top, label, lines, ticks }: Panel, least: number, most: number): string[] {
  const x = (along: number): string => (LEFT + along * INNER).toFixed(1);
  const y = (latency: number): string =>
    (top + HEIGHT - (Math.log10(Math.max(latency, least) / least) / Math.log10(most / least)) * HEIGHT).toFixed(1);
  const drawn = [`<text x="${LEFT}" y="${top - 12}" font-weight="bold">${label}</text>`];
  for (let bound = least; bound <= most * 1.001; bound *= 10) {
    drawn.push(`<path d="M${LEFT} ${y(bound)}H${WIDTH - RIGHT}" stroke="#dadce0"/>`);
    drawn.push(`<text x="${LEFT - 8}" y="${Number(y(bound)) + 4}" text-anchor="end">${showDuration(bound)}</text>`);
  }
  for (const [along, text] of ticks) drawn.push(`<text x="${x(along)}" y="${top + HEIGHT + 18}" text-anchor="middle">${text}</text>`);
  for (const [index, { name, colour, points }] of lines.entries()) {
    const path = points.map(([along, latency]) => `${x(along)} ${y(latency)}`).join("L");
    if (points.length === 1) drawn.push(`<circle cx="${x(points[0]?.[0] ?? 0)}" cy="${y(points[0]?.[1] ?? 0)}" r="2.5" fill="${colour}"/>`);
    else if (points.length > 1) drawn.push(`<path d="M${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`);
    drawn.push(`<text x="${WIDTH - RIGHT - 70 * index}" y="${top - 12}" text-anchor="end" fill="${colour}">${name}</text>`);
  }
  return drawn;
}

/** The powers of ten around two values; two of them at least. */
function decades(min: number, max: number): readonly [least: number, most: number] {
  const lower = Math.floor(Math.log10(min));
  const upper = Math.ceil(Math.log10(max));
  return [10 ** lower, 10 ** Math.max(upper, lower + 1)];
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
