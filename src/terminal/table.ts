import { stripVTControlCharacters } from "node:util";

export interface TableOptions {
  /** On a terminal: how many columns it has. Undefined for a pipe, which gets tabs, no header, and nothing cut. */
  readonly width: number | undefined;
  /** How a header cell is shown. */
  readonly paintHeader?: (text: string) => string;
}

const GAP = "  ";
const MIN_CELL_WIDTH = 12;

/** The lines of a table: aligned under a header and fitted to the width on a terminal, tab-separated in a pipe. */
export function formatTable(
  header: readonly string[] | undefined,
  rows: readonly (readonly string[])[],
  { width, paintHeader = (text) => text }: TableOptions,
): string {
  if (width === undefined) return rows.map((row) => `${row.map(stripVTControlCharacters).join("\t")}\n`).join("");
  const all = header ? [header, ...rows] : rows;
  // A list of facts, which has no header, is shown whole.
  const widths = header ? fit(columnWidths(all), width) : columnWidths(all);
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join(GAP)
      .trimEnd();
  return [...(header ? [paintHeader(line(header.map((name) => name.toUpperCase())))] : []), ...rows.map(line)]
    .map((text) => `${text}\n`)
    .join("");
}

function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, visibleLength(cell));
  return widths;
}

/** Takes what is too much from the widest columns. */
function fit(widths: readonly number[], total: number): number[] {
  const fitted = [...widths];
  const used = () => fitted.reduce((sum, width) => sum + width, GAP.length * (fitted.length - 1));
  while (used() > total) {
    const widest = Math.max(...fitted);
    if (widest <= MIN_CELL_WIDTH) break;
    fitted[fitted.indexOf(widest)] = widest - 1;
  }
  return fitted;
}

/** Pads a cell, or cuts it with an ellipsis. A cell with color that is too long loses the color. */
function pad(cell: string, width: number): string {
  const length = visibleLength(cell);
  if (length <= width) return cell + " ".repeat(width - length);
  return `${stripVTControlCharacters(cell).slice(0, Math.max(0, width - 1))}…`;
}

function visibleLength(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
