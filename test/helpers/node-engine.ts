import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Engine, StartOptions } from "../../src/emulator/engine/engine.ts";
import type { State } from "../../src/emulator/state/state.ts";

/** Responds to every request with `greeting`, the environment and its own pid. */
export const SERVER = `
  const { PORT, K_SERVICE, K_REVISION, K_CONFIGURATION, GREETING, CLOUD_RUN_TIMEOUT_SECONDS } = process.env;
  console.log("listening");
  require("node:http").createServer((request, response) => {
    if (request.url === "/exit") process.exit(7);
    response.end(JSON.stringify({ pid: process.pid, PORT, K_SERVICE, K_REVISION, K_CONFIGURATION, GREETING, CLOUD_RUN_TIMEOUT_SECONDS }));
  }).listen(PORT);
`;

type Mounts = NonNullable<StartOptions["mounts"]>;

/** An engine whose images are one `server.js`; it counts the instances that it starts, and records their mounts. */
export function createNodeEngine(): Engine & { readonly started: number; readonly alive: number; readonly mounts: Mounts } {
  let started = 0;
  let alive = 0;
  let mounted: Mounts = [];
  return {
    name: "process",
    runnerOf(name) {
      return name === this.name ? this : undefined;
    },
    get started() {
      return started;
    },
    get alive() {
      return alive;
    },
    get mounts() {
      return mounted;
    },
    build: () => Promise.reject(new Error("This engine builds nothing")),
    async start({ directory, config, command = [], args = config.Cmd, env, mounts = [], port, log }) {
      const child = spawn(process.execPath, [...command, ...args], { cwd: directory, env, stdio: ["ignore", "pipe", "pipe"] });
      started += 1;
      alive += 1;
      mounted = mounts;
      const ended = (["stdout", "stderr"] as const).map((stream) => {
        const lines = createInterface(child[stream]).on("line", (line) => log(stream, line));
        return new Promise((resolve) => lines.on("close", resolve));
      });
      const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
        child.on("exit", (code, signal) => resolve({ code, signal })),
      );
      const exited = exit.then(async (how) => {
        await Promise.all(ended);
        alive -= 1;
        return how;
      });
      return {
        pid: child.pid ?? 0,
        port,
        exited,
        async stop(grace) {
          child.kill("SIGTERM");
          const late = setTimeout(() => child.kill("SIGKILL"), grace);
          await exited;
          clearTimeout(late);
        },
      };
    },
  };
}

/** Creates an image from a script and tags it; returns its digest. */
export function addImage(state: State, reference: string, script = SERVER): string {
  const hex = createHash("sha256").update(script).digest("hex");
  const directory = join(state.directory, "images", hex);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "server.js"), script);
  const config = { Env: [], Entrypoint: [], Cmd: ["server.js"], WorkingDir: "/", User: "" };
  state.images.set(`sha256:${hex}`, { digest: `sha256:${hex}`, engine: "process", config, createTime: "2026-01-01T00:00:00Z" });
  const tagged = reference.includes(":") ? reference : `${reference}:latest`;
  state.tags.set(tagged, { reference: tagged, digest: `sha256:${hex}` });
  return `sha256:${hex}`;
}
