import { spawn, spawnSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "tar";
import { expect, onTestFinished, test } from "vitest";
import { folder } from "../helpers/command-line.ts";
import { openCrashWorkflow, type CrashWorkflow } from "../helpers/crash-workflow.ts";
import { BIN, createKillableEmulator, Killed, type KillableEmulator } from "../helpers/killable-emulator.ts";
import { mint } from "../helpers/ledger.ts";
import { assertTidy } from "../helpers/tidy.ts";

/** A seed determines the kills: in which steps, and after which share of the time that each step usually takes. */
const SEED = Number(process.env["CRASH_SEED"] ?? randomInt(2 ** 31));
const KILLS = Number(process.env["CRASH_KILLS"] ?? 50);
const FOLDERS = 5;

const SERVICE = `
  const { createServer } = require("node:http");
  const server = createServer((_, response) => response.end(JSON.stringify({ version: process.env.VERSION })));
  server.listen(process.env.PORT, process.env.HOST);`;

/** Writes a file bit by bit, under its absolute path, for at least this long. SIGTERM does not stop it. */
const slowWriter = (durationMs: number): string => `
  const { appendFileSync, mkdirSync } = require("node:fs");
  process.on("SIGTERM", () => {});
  const folder = process.cwd() + "/generated";
  let count = 0;
  const write = () => {
    mkdirSync(folder, { recursive: true });
    appendFileSync(folder + "/numbers.txt", (count += 1) + "\\n");
    if (count < ${durationMs / 5}) setTimeout(write, 5);
  };
  write();`;

/** The source of a service, as a gzipped tar archive. Building its image runs `build`. */
async function archiveService(build?: string): Promise<Buffer> {
  const run = build === undefined ? [] : ["RUN npm run --silent generate"];
  const files: Record<string, string> = {
    "main.js": SERVICE,
    "generate.js": build ?? "",
    "package.json": JSON.stringify({ name: "crash", version: "1.0.0", scripts: { generate: "node generate.js" } }),
    Dockerfile: ["FROM node:22-slim", "WORKDIR /app", "COPY . .", ...run, 'CMD ["node", "main.js"]'].join("\n"),
  };
  const chunks: Buffer[] = [];
  for await (const chunk of create({ gzip: true, cwd: folder(files), portable: true }, Object.keys(files))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function createEmulator(): KillableEmulator {
  const emulator = createKillableEmulator(folder());
  onTestFinished(() => emulator.kill());
  return emulator;
}

/** mulberry32, with numbers in [0, 1). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const weighted = items.map((item) => [random(), item] as const);
  return weighted.toSorted(([a], [b]) => a - b).map(([, item]) => item);
}

interface CrashRun {
  readonly emulator: KillableEmulator;
  readonly workflow: CrashWorkflow;
  /** The steps in which the emulator is killed, one after the other. */
  readonly targets: readonly string[];
  readonly random: () => number;
  readonly note: (line: string) => void;
}

/** Runs the workflow. After each kill, starts the emulator again, compares its state with its earlier responses, and continues. */
async function runWithKills({ emulator, workflow, targets, random, note }: CrashRun): Promise<void> {
  const names = Object.keys(workflow.steps);
  const lastDurationsMs = new Map<string, number>();
  let index = 0;
  for (const target of targets) {
    let killed: Promise<void> | undefined;
    let [name, startedMs] = ["", 0];
    try {
      for (; ; index += 1) {
        name = names[index % names.length] as string;
        if (name === target) killed ??= sleep(random() * (lastDurationsMs.get(name) ?? 100)).then(() => emulator.kill());
        startedMs = performance.now();
        await workflow.steps[name]?.();
        lastDurationsMs.set(name, performance.now() - startedMs);
      }
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      note(`killed in ${name} after ${Math.round(performance.now() - startedMs)} ms: ${error.message}`);
    }
    await killed;
    if (target === names[0]) await emulator.startAndKill(random() * 500);
    await emulator.start();
    await workflow.verify();
    await assertTidy(emulator.directory);
  }
}

test(`what the emulator confirmed survives ${KILLS} kills at any moment of the workflow`, { timeout: 240_000 }, async () => {
  const random = createRandom(SEED);
  const sources = [await archiveService(), await archiveService(slowWriter(200))];
  const notes: string[] = [];
  const opening = Array.from({ length: FOLDERS }, async (_, folderIndex) => {
    const emulator = createEmulator();
    await emulator.start();
    return {
      emulator,
      workflow: await openCrashWorkflow(emulator, sources),
      random,
      note: (line: string) => notes.push(`folder ${folderIndex}: ${line}`),
    };
  });
  try {
    const opened = await Promise.all(opening);
    const names = Object.keys(opened[0]?.workflow.steps ?? {});
    const killedSteps = shuffle(
      Array.from({ length: KILLS }, (_, kill) => names[kill % names.length] as string),
      random,
    );
    const targetsOf = (folderIndex: number): string[] =>
      names.flatMap((name) => killedSteps.filter((step, index) => step === name && index % FOLDERS === folderIndex));
    await Promise.all(opened.map((run, folderIndex) => runWithKills({ ...run, targets: targetsOf(folderIndex) })));
    await Promise.all(opened.map(({ emulator }) => emulator.assertReaped()));
    expect(notes).toHaveLength(KILLS);
  } catch (error) {
    throw new Error(`With CRASH_SEED=${SEED}: ${(error as Error).message}\n${notes.join("\n")}`, { cause: error });
  }
});

test("killing a first start doesn't break the next one, and leaves no key without its file", { timeout: 120_000 }, async () => {
  const random = createRandom(SEED);
  const runs = Array.from({ length: 4 }, async () => {
    const emulator = createEmulator();
    // A first start takes longer, because it creates keys.
    for (let kill = 0; kill < 3; kill += 1) await emulator.startAndKill(150 + random() * 800);
    // A crash between writing and renaming a file leaves these.
    mkdirSync(join(emulator.directory, "keys"), { recursive: true, mode: 0o700 });
    for (const name of ["keys/issuer.pem.new", "ca-bundle.pem.new"]) writeFileSync(join(emulator.directory, name), "half of i");
    await emulator.start();
    const { ledger } = await openCrashWorkflow(emulator, []);
    for (const name of ["operator", "caller"]) {
      const file = JSON.parse(readFileSync(join(emulator.directory, "keys", `cloudrun-local-${name}.json`), "utf8"));
      expect(await mint(emulator, file, { target_audience: "https://example.com" })).toEqual({ id_token: expect.any(String) });
      const { keys } = await ledger.get(`https://iam.googleapis.com/v1/projects/-/serviceAccounts/${file.client_email}/keys`);
      expect(keys.map((key: { name: string }) => key.name.split("/").at(-1))).toEqual([file.private_key_id]);
    }
    await assertTidy(emulator.directory);
  });
  await Promise.all(runs);
});

test("a killed build is repeated, undisturbed by processes of the killed emulator", { timeout: 60_000 }, async () => {
  const emulator = createEmulator();
  await emulator.start();
  const { steps, ledger, verify } = await openCrashWorkflow(emulator, [await archiveService(slowWriter(2000))]);
  await steps["bucket"]?.();
  await steps["upload"]?.();
  await steps["build"]?.();
  const cutOff = steps["build"]?.().catch((error: unknown) => error);
  const isWriting = () =>
    (readdirSync(emulator.directory, { recursive: true }) as string[]).some((name) => /builds.*numbers\.txt$/.test(name));
  await expect.poll(isWriting, { timeout: 20_000 }).toBe(true);
  await emulator.kill();
  expect(await cutOff).toBeInstanceOf(Killed);
  await emulator.start();
  // Compares the digest of the image with that of the first build.
  await verify();
  await ledger.verify();
  await emulator.assertReaped();
  await assertTidy(emulator.directory);
});

test("a killed reset leaves everything or nothing", { timeout: 60_000 }, async () => {
  const emulator = createEmulator();
  await emulator.start();
  const { ledger } = await openCrashWorkflow(emulator, []);
  const storage = "https://storage.googleapis.com";
  await ledger.send("POST", `${storage}/storage/v1/b?project=cloudrun-local`, { name: "many" });
  const names = Array.from({ length: 40 }, (_, index) => `object-${index}`);
  for (const name of names)
    await ledger.send("POST", `${storage}/upload/storage/v1/b/many/o?uploadType=media&name=${name}`, randomBytes(100));
  // Deleting these as well takes a while.
  for (let file = 0; file < 15_000; file += 1) writeFileSync(join(emulator.directory, "objects", `other-${file}`), "");
  const header = { "x-cloudrun-oauth": "emulator" };
  const reset = emulator.ask("POST", "http://127.0.0.1/_emulator/reset", { headers: header }).catch((error: unknown) => error);
  const left = () => readdirSync(join(emulator.directory, "objects")).length;
  await expect
    .poll(() => (existsSync(join(emulator.directory, "objects")) ? left() : 0), { interval: 5, timeout: 20_000 })
    .toBeLessThan(10_000);
  await emulator.kill();
  expect(await reset).toBeInstanceOf(Killed);

  await emulator.start();
  const again = await openCrashWorkflow(emulator, []);
  const read = names.map((name) => again.ledger.ask("GET", `${storage}/storage/v1/b/many/o/${name}?alt=media`));
  const statuses = new Set((await Promise.all(read)).map(({ status }) => status));
  expect([[200], [404]]).toContainEqual([...statuses]);
  await assertTidy(emulator.directory);
});

test("a damaged state isn't replaced: the error names the file and the line, and the file stays", async () => {
  const emulator = createEmulator();
  await emulator.start();
  await emulator.kill();
  const file = join(emulator.directory, "state.jsonl");
  const text = readFileSync(file, "utf8");
  const lines = text.split("\n");
  writeFileSync(file, lines.with(2, `${(lines[2] as string).slice(0, 20)}`).join("\n"));
  const damaged = readFileSync(file, "utf8");
  const home = join(emulator.directory, "..");
  const { status, stderr } = spawnSync(process.execPath, [BIN, "emulator", "start", "--port", "0", "--data-dir", home, "--json"], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: home },
  });
  const { error } = JSON.parse(stderr.trim().split("\n").at(-1) as string);
  expect({ status, error }).toMatchObject({
    status: 1,
    error: {
      code: "EMULATOR_FAILED",
      message: expect.stringContaining(`Line 3 of ${file} is damaged`),
      next: [{ command: expect.arrayContaining(["emulator", "reset"]) }],
    },
  });
  expect(readFileSync(file, "utf8")).toBe(damaged);
  writeFileSync(file, text);
  await emulator.start();
});

test("a killed start doesn't block the next one, even with the same pid, as in a restarted container", async () => {
  const home = folder();
  const script = `echo '{"pid":'$$'}' > "$2/emulator.json" && exec "$0" "$1" emulator start --port 0 --data-dir "$2" --engine process --json`;
  const emulator = spawn("/bin/sh", ["-c", script, process.execPath, BIN, home], {
    env: { PATH: process.env["PATH"], HOME: home },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void emulator.kill("SIGKILL"));
  const [text] = await Promise.race([once(emulator.stdout, "data"), once(emulator, "exit")]);
  expect(String(text)).toContain(`"pid": ${emulator.pid}`);
});
