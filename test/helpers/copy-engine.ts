import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BuildError, type Engine } from "../../src/emulator/engine/engine.ts";

/**
 * An engine whose images are copies of their context. It executes `RUN sleep SECONDS` and `RUN false` in a Dockerfile,
 * prints the text of `RUN echo`, and ignores the rest. It can't start its images.
 */
export function createCopyEngine(): Engine & { readonly builds: number; readonly most: number } {
  let builds = 0;
  let running = 0;
  let most = 0;
  return {
    name: "process",
    runnerOf: () => undefined,
    get builds() {
      return builds;
    },
    get most() {
      return most;
    },
    async build({ context, dockerfile, directory, log, signal }) {
      builds += 1;
      most = Math.max(most, ++running);
      try {
        for (const line of readFileSync(join(context, dockerfile), "utf8").trim().split("\n")) {
          log(`Step : ${line}\n`);
          const [, program, argument = ""] = /^RUN (\w+) ?(.*)$/.exec(line) ?? [];
          if (program === "sleep") await sleep(Number(argument) * 1000, undefined, { signal });
          if (program === "echo") log(`${argument}\n`);
          if (program === "false") throw new BuildError("The command '/bin/sh -c false' returned a non-zero code: 1");
        }
        mkdirSync(directory, { recursive: true });
        cpSync(context, join(directory, "rootfs"), { recursive: true });
        return { Env: ["A=1"], Entrypoint: [], Cmd: ["node", "index.js"], WorkingDir: "/app", User: "" };
      } finally {
        running -= 1;
      }
    },
    async start() {
      throw new Error("This engine builds only.");
    },
  };
}
