import type { Terminal } from "../terminal/terminal.ts";

/** The answer of `--dry-run`: what would be done, a line each. */
export function printPlan(terminal: Terminal, lines: readonly string[]): void {
  if (terminal.json) terminal.printJson({ dry_run: lines });
  else terminal.print(lines.map((line) => `${line}\n`).join(""));
}
