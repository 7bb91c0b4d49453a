import type { Tell } from "../terminal/progress.ts";
import type { CloudContext } from "./cloud-context.ts";
import { shortImageName } from "./images.ts";

const MAX_END_LINES = 20;

export interface BuildLog {
  add(line: string): void;
  /** Shows what was folded or not shown; returns the last lines, which usually say why the build failed. */
  fail(): string;
}

/** A build's log: on a terminal one line at a time, and in full if the build fails or with `--verbose`; elsewhere as it comes. */
export function openBuildLog(terminal: CloudContext["terminal"], image: string, tell?: Tell): BuildLog {
  const isFolded = terminal.interactive && !terminal.verbose;
  const lines: string[] = [];
  return {
    add(line) {
      if (isFolded) tell?.(line);
      else if (!terminal.json) {
        if (lines.length === 0) terminal.note(`Building ${shortImageName(image)}…`);
        terminal.note(line);
      }
      lines.push(line);
    },
    fail() {
      const end = lines.slice(-MAX_END_LINES).join("\n");
      if (terminal.quiet && !terminal.json && end) terminal.warn(`The end of the build log:\n${end}`);
      else if (isFolded) terminal.note(lines.join("\n"));
      return end;
    },
  };
}
