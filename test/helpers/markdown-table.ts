import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The rows of the first table below a heading of a page, cell by cell, with the code marks taken off whole cells. */
export function readTable(page: string, heading: string): string[][] {
  const text = readFileSync(fileURLToPath(new URL(`../../${page}`, import.meta.url)), "utf8");
  const [, section = ""] = text.split(`\n## ${heading}\n`);
  const lines = (/(?:^\|.*\n)+/m.exec(section)?.[0] ?? "").trim().split("\n").slice(2);
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim().replace(/^`([^`]*)`$/, "$1")),
  );
}
