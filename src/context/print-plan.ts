import type { Terminal } from "../terminal/terminal.ts";

/** Prints what a command would do, for `--dry-run`: one line for each step. */
export function printPlan(terminal: Terminal, lines: readonly string[]): void {
  if (terminal.json) terminal.printJson({ dry_run: lines });
  else terminal.print(lines.map((line) => `${line}\n`).join(""));
}
