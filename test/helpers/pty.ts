import { spawn } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { expect, onTestFinished } from "vitest";
import type { Environment } from "../../src/context/context.ts";

export interface Pty {
  type(keys: string): void;
  /** All that was shown so far, without what only moves and colours. */
  shown(): string;
  /** The same, as it came. */
  bytes(): string;
  /** Waits until this has been shown since the last wait. */
  waitFor(text: string | RegExp): Promise<void>;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

/** Runs a line of a POSIX shell on a terminal of 80 columns, by the `script` of util-linux; what runs there ends with the test. */
export function openPty(script: string, line: string, { env, cwd }: { readonly env: Environment; readonly cwd: string }): Pty {
  const child = spawn(script, ["-qfec", `stty cols 80 rows 30; ${line}`, "/dev/null"], {
    cwd,
    env: { ...env, SHELL: "/bin/sh", TERM: "xterm" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let bytes = "";
  let seen = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (bytes += text));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  onTestFinished(async () => {
    // What runs on a terminal that is closed is hung up.
    child.kill("SIGKILL");
    await ended;
  });
  const shown = () => stripVTControlCharacters(bytes);
  return {
    type: (keys) => void child.stdin.write(keys),
    shown,
    bytes: () => bytes,
    async waitFor(text) {
      await expect.poll(() => shown().slice(seen), { timeout: 30_000 }).toMatch(text);
      seen = shown().length;
    },
    ended,
  };
}
