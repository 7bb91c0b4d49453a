import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, onTestFinished } from "vitest";
import { createContainerEngine } from "../../../../src/emulator/engine/container/container-engine.ts";
import type { StartOptions } from "../../../../src/emulator/engine/engine.ts";
import { createReaper } from "../../../../src/emulator/engine/reaper.ts";
import { bundleProgram } from "../../../helpers/bundle.ts";
import { openContainerMachine } from "../../../helpers/container-machine.ts";
import { temporaryFolder, until, type Files } from "../../../helpers/process-engine.ts";
import { requires, testNeeding } from "../../../helpers/requirements.ts";

const podman = requires("podman");
const machine = podman.available ? await openContainerMachine(podman.path, ["node"], afterAll) : undefined;

const SLEEP = "setInterval(() => {}, 1000)";

/** An engine with its own emulator directory. */
function openEngine(directory = temporaryFolder()) {
  const shared = join(directory, "shared.txt");
  writeFileSync(shared, "shared", { mode: 0o644 });
  mkdirSync(join(directory, "images"), { recursive: true });
  const engine = createContainerEngine({ directory, shared: [shared], env: machine!.env, reaper: createReaper() });
  onTestFinished(engine.sweep);
  let count = 0;
  const build = async (
    dockerfile: string,
    { files = {}, signal = new AbortController().signal, onLog = () => undefined }: BuildSettings = {},
  ) => {
    const context = temporaryFolder({ Dockerfile: dockerfile, ...files });
    const image = join(directory, "images", String((count += 1)));
    const config = await engine.build({ context, dockerfile: "Dockerfile", directory: image, log: onLog, signal });
    return { directory: image, config };
  };
  const start = async (image: Pick<StartOptions, "directory" | "config">, code: string, options: Partial<StartOptions> = {}) => {
    const lines: string[] = [];
    const log: StartOptions["log"] = (stream, line) => lines.push(`${stream}: ${line}`);
    const instance = await engine.start({ ...image, command: ["node", "-e", code], env: {}, port: 8080, log, ...options });
    onTestFinished(() => instance.stop(0));
    return { ...instance, lines };
  };
  return { engine, directory, shared, build, start };
}

interface BuildSettings {
  readonly files?: Files;
  readonly signal?: AbortSignal;
  readonly onLog?: (text: string) => void;
}

async function containers(): Promise<string[]> {
  for (let left = 5; ; left -= 1) {
    try {
      return (await machine!.tell("ps", "--all", "--external", "--format", "{{.Names}}")).split("\n").filter(Boolean);
    } catch (error) {
      // Podman fails if a build's container disappears while it lists them.
      if (left === 1 || !String(error).includes("container not known")) throw error;
    }
  }
}

async function images(): Promise<string[]> {
  return (await machine!.tell("images", "--format", "{{.Repository}}")).split("\n").filter((name) => name.endsWith("cloudrun-oauth"));
}

/** The arguments of all processes that contain a text. */
function commandsWith(text: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")].filter((line) => line.includes(text));
      } catch {
        return [];
      }
    });
}

testNeeding("podman", "a build fails with the engine's message, and leaves nothing behind", async () => {
  const { build, directory } = openEngine();
  await expect(build("FROM node:22-slim\nRUN node -e 'process.exit(3)'")).rejects.toThrow(/^building at STEP .* exit status 3$/);
  await expect(build("FROM node:22-slim\nCOPY nothing ./")).rejects.toThrow(/nothing/);
  await expect(build("FROM nothing-like-this")).rejects.toThrow(/nothing-like-this/);
  expect([readdirSync(join(directory, "images")), await images(), await containers()]).toEqual([[], [], []]);
});

testNeeding("podman", "files in .dockerignore stay out of the image", async () => {
  const { build, start } = openEngine();
  const image = await build("FROM node:22-slim\nWORKDIR /app\nCOPY . ./", {
    files: { ".dockerignore": "*.pem\n", "key.pem": "", "main.js": "" },
  });
  const instance = await start(image, "console.log(require('node:fs').readdirSync('.').sort().join())");
  await instance.exited;
  expect(instance.lines).toEqual(["stdout: .dockerignore,Dockerfile,main.js"]);
});

testNeeding("podman", "a canceled build ends its processes, and leaves nothing behind", async () => {
  const { build } = openEngine();
  const stop = new AbortController();
  const marker = `marker-${process.pid}-cancelled`;
  const cancelled = build(`FROM node:22-slim\nRUN node -e "'${marker}'; ${SLEEP}"`, { signal: stop.signal });
  await until(() => commandsWith(`-e '${marker}'`).length > 0);
  stop.abort();
  await expect(cancelled).rejects.toThrow("The build was canceled.");
  expect([commandsWith(marker), await containers()]).toEqual([[], []]);
});

testNeeding("podman", "an instance's user can read shared and mounted files, and no process shows its environment", async () => {
  const { build, start, shared } = openEngine();
  const image = await build("FROM node:22-slim\nUSER node");
  const secrets = temporaryFolder({ "files/key.txt": "secret" });
  const secret = `secret-${process.pid}`;
  const code = `
    const { readFileSync } = require("node:fs");
    console.log(process.getuid(), readFileSync(process.env.SHARED, "utf8"), readFileSync("/secrets/key.txt", "utf8"), process.env.SECRET);
    ${SLEEP}`;
  const mounts = [{ directory: join(secrets, "files"), path: "/secrets" }];
  const instance = await start(image, code, { env: { SHARED: shared, SECRET: secret, LD_PRELOAD: "", DOCKER_HOST: "mine" }, mounts });
  await until(() => instance.lines.length > 0);
  expect(instance.lines).toEqual([`stdout: 1000 shared secret ${secret}`]);
  expect(commandsWith(secret)).toEqual([]);
});

testNeeding("podman", "a container ends with the process that watches it, however that process ends", async () => {
  const { build, start } = openEngine();
  const instance = await start(await build("FROM node:22-slim"), `console.log("ready"); ${SLEEP}`);
  await until(() => instance.lines.length > 0);
  expect(await containers()).toHaveLength(1);
  process.kill(instance.pid, "SIGKILL");
  expect(await instance.exited).toEqual({ code: null, signal: "SIGKILL" });
  expect(await containers()).toEqual([]);
});

testNeeding("podman", "an emulator's images are removed with its directory; those of others stay", async () => {
  const kept = openEngine();
  await kept.build("FROM node:22-slim\nENV A=kept");
  const forgetful = openEngine();
  const image = await forgetful.build("FROM node:22-slim\nENV A=forgotten");
  expect(await images()).toHaveLength(2);

  rmSync(image.directory, { recursive: true });
  await forgetful.engine.sweep();
  expect(await images()).toHaveLength(1);

  // If an emulator ended before it could clean up, the next one does.
  const crashed = openEngine();
  await crashed.build("FROM node:22-slim\nENV A=crashed");
  rmSync(crashed.directory, { recursive: true });
  await openEngine().build("FROM node:22-slim\nENV A=next");
  expect(await images()).toHaveLength(2);
});

testNeeding("podman", "emulators that sweep at the same moment are not in each other's way", async () => {
  const crashed = await Promise.all(
    ["a", "b", "c"].map(async (name) => {
      const { build, directory } = openEngine();
      await build(`FROM node:22-slim\nENV A=${name}`);
      return directory;
    }),
  );
  const sweepers = [openEngine(), openEngine(), openEngine()];
  for (const [at, { build }] of sweepers.entries()) await build(`FROM node:22-slim\nENV B=${at}`);
  for (const directory of crashed) rmSync(directory, { recursive: true });
  await Promise.all(sweepers.map(({ engine }) => engine.sweep()));
  expect(await images()).toHaveLength(3);
});

testNeeding("podman", "a killed emulator leaves neither containers nor build processes", async () => {
  const { build, directory } = openEngine();
  const image = await build("FROM node:22-slim");
  const marker = `marker-${process.pid}-killed`;
  const deaf = `process.on("SIGTERM", () => {}); console.log("ready"); ${SLEEP}`;
  const context = temporaryFolder({ Dockerfile: `FROM node:22-slim\nRUN node -e "'${marker}'; ${SLEEP}"` });
  const source = join(import.meta.dirname, "../../../../src/emulator/engine");
  const script = await bundleProgram(`
    import { createContainerEngine } from "${source}/container/container-engine.ts";
    import { createReaper } from "${source}/reaper.ts";
    const log = (_, line) => process.stdout.write(line + "\\n");
    const engine = createContainerEngine({ directory: ${JSON.stringify(directory)}, shared: [], env: process.env, reaper: createReaper() });
    await engine.start({ ...${JSON.stringify(image)}, command: ["node", "-e", ${JSON.stringify(deaf)}], env: {}, port: 8080, log });
    engine.build({ context: ${JSON.stringify(context)}, dockerfile: "Dockerfile", directory: ${JSON.stringify(join(directory, "images", "two"))}, log: () => {}, signal: new AbortController().signal });`);
  const emulator = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"], env: machine!.env });
  onTestFinished(() => void emulator.kill("SIGKILL"));
  let output = "";
  emulator.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  await until(() => output.includes("ready") && commandsWith(`-e '${marker}'`).length > 0);
  expect(await containers()).toHaveLength(2);

  emulator.kill("SIGKILL");
  await until(async () => (await containers()).length === 0 && commandsWith(marker).length === 0);
});
