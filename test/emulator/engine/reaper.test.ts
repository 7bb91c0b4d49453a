import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { bundleProgram } from "../../helpers/bundle.ts";
import { buildImage, isRunning, temporaryFolder, until } from "../../helpers/process-engine.ts";

const SOURCE = join(import.meta.dirname, "../../../src/emulator/engine");

/** Starts a program that uses the engine as the emulator does; `lines` is what it printed. */
async function startEmulator(main: string) {
  const script = await bundleProgram(`
    import { createProcessEngine } from "${SOURCE}/process/process-engine.ts";
    import { createReaper } from "${SOURCE}/reaper.ts";
    ${main}`);
  const emulator = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void emulator.kill("SIGKILL"));
  const lines: string[] = [];
  emulator.stdout.setEncoding("utf8").on("data", (text: string) => lines.push(...text.trim().split("\n")));
  return { emulator, lines };
}

const FAMILY = `
  const { spawn } = require("node:child_process");
  const stubborn = "process.on('SIGTERM', () => {}); console.log(process.pid); setInterval(() => {}, 1000)";
  console.log(process.pid);
  spawn(process.execPath, ["-e", stubborn], { stdio: "inherit" });
  setInterval(() => {}, 1000);`;

test("no process outlives a killed emulator", async () => {
  const { directory, config } = await buildImage({
    "main.js": FAMILY,
    Dockerfile: 'FROM node\nCOPY main.js /app/\nCMD ["node", "/app/main.js"]',
  });
  const { emulator, lines } = await startEmulator(`
    const engine = createProcessEngine({ env: {}, reaper: createReaper() });
    const start = () => engine.start({ directory: ${JSON.stringify(directory)}, config: ${JSON.stringify(config)}, env: {}, port: 0, log: (_, line) => console.log(line) });
    await (await start()).stop(0);
    await start();
    await start();
    setInterval(() => {}, 1000);`);
  await until(() => lines.filter((line) => isRunning(Number(line))).length === 4);
  const pids = lines.map(Number).filter(isRunning);
  expect(pids).toHaveLength(4);

  emulator.kill("SIGKILL");
  await until(() => !pids.some(isRunning));
});

test.skipIf(!existsSync("/proc/self/fd"))(
  "a process does not outlive an emulator that is killed in the moment that it has started it",
  async () => {
    const { directory, config } = await buildImage({
      "main.js": "setInterval(() => {}, 1000);",
      Dockerfile: 'FROM node\nCOPY main.js /app/\nCMD ["node", "/app/main.js"]',
    });
    const { emulator } = await startEmulator(`
    const { remove, ...reaper } = createReaper();
    const add = () => process.kill(process.pid, "SIGKILL");
    const engine = createProcessEngine({ env: {}, reaper: { ...reaper, add, remove } });
    await engine.start({ directory: ${JSON.stringify(directory)}, config: ${JSON.stringify(config)}, env: {}, port: 0, log: () => {} });`);
    const [, signal] = await once(emulator, "exit");
    expect(signal).toBe("SIGKILL");
    const left = (): number[] =>
      processes()
        .filter(({ command }) => command.includes(directory))
        .map(({ pid }) => pid);
    onTestFinished(() => left().forEach((pid) => process.kill(pid, "SIGKILL")));
    await until(() => left().length === 0);
  },
);

function processes(): { readonly pid: number; readonly command: string }[] {
  const pids = readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && isRunning(pid));
  return pids.map((pid) => ({ pid, command: existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : "" }));
}

test("a build's processes don't outlive a killed emulator", async () => {
  const context = temporaryFolder({
    "package.json": JSON.stringify({ scripts: { wait: "node main.js" } }),
    "main.js": FAMILY,
    Dockerfile: "FROM node\nCOPY . .\nRUN npm run --silent wait",
  });
  const { emulator, lines } = await startEmulator(`
    const engine = createProcessEngine({ env: process.env, reaper: createReaper() });
    await engine.build({ context: ${JSON.stringify(context)}, dockerfile: "Dockerfile", directory: ${JSON.stringify(join(temporaryFolder(), "image"))},
      log: (text) => process.stdout.write(text), signal: new AbortController().signal });`);
  await until(() => lines.filter((line) => /^\d+$/.test(line)).length === 2);
  const pids = lines.filter((line) => /^\d+$/.test(line)).map(Number);
  expect(pids.every(isRunning)).toBe(true);

  emulator.kill("SIGKILL");
  await until(() => !pids.some(isRunning));
});

test("the reaper doesn't keep an idle emulator alive, and ends with it", async () => {
  const { emulator, lines } = await startEmulator(`
    const { execFileSync, spawn } = await import("node:child_process");
    const child = spawn("sleep", ["0.2"], { detached: true });
    const reaper = createReaper();
    reaper.add(child.pid);
    console.log(execFileSync("pgrep", ["-P", String(process.pid)], { encoding: "utf8" }));
    child.once("exit", () => reaper.remove(child.pid));
    void createProcessEngine;`);
  const [code] = await once(emulator, "exit");
  expect(code).toBe(0);
  const children = lines.filter((line) => line !== "").map(Number);
  expect(children.length).toBeGreaterThanOrEqual(2);
  await until(() => !children.some(isRunning));
});
