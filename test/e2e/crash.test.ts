import { spawn, spawnSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "tar";
import { expect, onTestFinished, test } from "vitest";
import { folder } from "../helpers/command-line.ts";
import { openRoad, type Road } from "../helpers/crash-road.ts";
import { BIN, createKillableEmulator, Killed, type KillableEmulator } from "../helpers/killable-emulator.ts";
import { mint } from "../helpers/ledger.ts";
import { assertTidy } from "../helpers/tidy.ts";

/** The same seed gives the same kills: in the same steps, after the same share of the time that each usually takes. */
const SEED = Number(process.env["CRASH_SEED"] ?? randomInt(2 ** 31));
const KILLS = Number(process.env["CRASH_KILLS"] ?? 50);
const FOLDERS = 5;

const SERVICE = `
  const { createServer } = require("node:http");
  const server = createServer((_, response) => response.end(JSON.stringify({ version: process.env.VERSION })));
  server.listen(process.env.PORT, process.env.HOST);`;

/** Writes a file bit by bit, under its absolute path, for as many milliseconds or more; SIGTERM does not stop it. */
const WRITER = (milliseconds: number): string => `
  const { appendFileSync, mkdirSync } = require("node:fs");
  process.on("SIGTERM", () => {});
  const folder = process.cwd() + "/generated";
  let count = 0;
  const write = () => {
    mkdirSync(folder, { recursive: true });
    appendFileSync(folder + "/numbers.txt", (count += 1) + "\\n");
    if (count < ${milliseconds / 5}) setTimeout(write, 5);
  };
  write();`;

/** The source of a service, as a gzipped tar archive; `build` is carried out when its image is built. */
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

/** mulberry32: the next number of [0, 1). */
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
  const drawn = items.map((item) => [random(), item] as const);
  return drawn.toSorted(([a], [b]) => a - b).map(([, item]) => item);
}

interface Walk {
  readonly emulator: KillableEmulator;
  readonly road: Road;
  /** The steps to be killed in, one after the other. */
  readonly targets: readonly string[];
  readonly random: () => number;
  readonly note: (line: string) => void;
}

/** Walks the road; where it is killed, starts the emulator again, compares what is there with what was answered, and walks on. */
async function walk({ emulator, road, targets, random, note }: Walk): Promise<void> {
  const names = Object.keys(road.steps);
  // Milliseconds that a step took the last time.
  const usual = new Map<string, number>();
  let at = 0;
  for (const target of targets) {
    let killed: Promise<void> | undefined;
    let [name, begun] = ["", 0];
    try {
      for (; ; at += 1) {
        name = names[at % names.length] as string;
        if (name === target) killed ??= sleep(random() * (usual.get(name) ?? 100)).then(() => emulator.kill());
        begun = performance.now();
        await road.steps[name]?.();
        usual.set(name, performance.now() - begun);
      }
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      note(`killed in ${name} after ${Math.round(performance.now() - begun)} ms: ${error.message}`);
    }
    await killed;
    if (target === names[0]) await emulator.startAndKill(random() * 500);
    await emulator.start();
    await road.verify();
    await assertTidy(emulator.directory);
  }
}

test(`what was answered is there after the emulator was killed at ${KILLS} moments of the road`, { timeout: 240_000 }, async () => {
  const random = createRandom(SEED);
  const sources = [await archiveService(), await archiveService(WRITER(200))];
  const notes: string[] = [];
  const lanes = Array.from({ length: FOLDERS }, async (_, lane) => {
    const emulator = createEmulator();
    await emulator.start();
    return { emulator, road: await openRoad(emulator, sources), random, note: (line: string) => notes.push(`folder ${lane}: ${line}`) };
  });
  try {
    const opened = await Promise.all(lanes);
    const names = Object.keys(opened[0]?.road.steps ?? {});
    const dealt = shuffle(
      Array.from({ length: KILLS }, (_, kill) => names[kill % names.length] as string),
      random,
    );
    const targetsOf = (lane: number): string[] =>
      names.flatMap((name) => dealt.filter((step, index) => step === name && index % FOLDERS === lane));
    await Promise.all(opened.map((each, lane) => walk({ ...each, targets: targetsOf(lane) })));
    await Promise.all(opened.map(({ emulator }) => emulator.assertReaped()));
    expect(notes).toHaveLength(KILLS);
  } catch (error) {
    throw new Error(`With CRASH_SEED=${SEED}: ${(error as Error).message}\n${notes.join("\n")}`, { cause: error });
  }
});

test("a first start that is cut off leaves nothing to stumble over, and no key that nobody has", { timeout: 120_000 }, async () => {
  const random = createRandom(SEED);
  const lanes = Array.from({ length: 4 }, async () => {
    const emulator = createEmulator();
    // A first start takes longer, because it makes keys.
    for (let kill = 0; kill < 3; kill += 1) await emulator.startAndKill(150 + random() * 800);
    // As a crash between a file's writing and its renaming leaves it.
    mkdirSync(join(emulator.directory, "keys"), { recursive: true, mode: 0o700 });
    for (const name of ["keys/issuer.pem.new", "ca-bundle.pem.new"]) writeFileSync(join(emulator.directory, name), "half of i");
    await emulator.start();
    const { ledger } = await openRoad(emulator, []);
    for (const name of ["operator", "caller"]) {
      const file = JSON.parse(readFileSync(join(emulator.directory, "keys", `cloudrun-local-${name}.json`), "utf8"));
      expect(await mint(emulator, file, { target_audience: "https://example.com" })).toEqual({ id_token: expect.any(String) });
      const { keys } = await ledger.get(`https://iam.googleapis.com/v1/projects/-/serviceAccounts/${file.client_email}/keys`);
      expect(keys.map((key: { name: string }) => key.name.split("/").at(-1))).toEqual([file.private_key_id]);
    }
    await assertTidy(emulator.directory);
  });
  await Promise.all(lanes);
});

test("a build that was cut off is done again, undisturbed by what the killed emulator had started", { timeout: 60_000 }, async () => {
  const emulator = createEmulator();
  await emulator.start();
  const { steps, ledger, verify } = await openRoad(emulator, [await archiveService(WRITER(2000))]);
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
  // The digest of the image is compared with that of the first.
  await verify();
  await ledger.verify();
  await emulator.assertReaped();
  await assertTidy(emulator.directory);
});

test("after a reset that was cut off everything is there, or nothing", { timeout: 60_000 }, async () => {
  const emulator = createEmulator();
  await emulator.start();
  const { ledger } = await openRoad(emulator, []);
  const storage = "https://storage.googleapis.com";
  await ledger.send("POST", `${storage}/storage/v1/b?project=cloudrun-local`, { name: "many" });
  const names = Array.from({ length: 40 }, (_, index) => `object-${index}`);
  for (const name of names)
    await ledger.send("POST", `${storage}/upload/storage/v1/b/many/o?uploadType=media&name=${name}`, randomBytes(100));
  // What is deleted with them takes a while.
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
  const again = await openRoad(emulator, []);
  const read = names.map((name) => again.ledger.ask("GET", `${storage}/storage/v1/b/many/o/${name}?alt=media`));
  const statuses = new Set((await Promise.all(read)).map(({ status }) => status));
  expect([[200], [404]]).toContainEqual([...statuses]);
  await assertTidy(emulator.directory);
});

test("a state that is damaged is not begun anew by itself: the file and the line are named, and left alone", async () => {
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
      hint: expect.stringContaining("emulator reset"),
    },
  });
  expect(readFileSync(file, "utf8")).toBe(damaged);
  writeFileSync(file, text);
  await emulator.start();
});

test("a start that was cut off is in nobody's way, even where the next one has the same pid, as in a container that is started again", async () => {
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
