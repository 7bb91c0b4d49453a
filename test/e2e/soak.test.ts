import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { Json } from "../helpers/api-server.ts";
import { folder } from "../helpers/command-line.ts";
import { openCrashWorkflow, type CrashWorkflow } from "../helpers/crash-workflow.ts";
import { archiveOf, tinyService } from "../helpers/emulator.ts";
import { createKillableEmulator, Killed, processesOf, type KillableEmulator } from "../helpers/killable-emulator.ts";
import { look, median } from "../helpers/process-figures.ts";
import { policyUrl, prepareLoad, SERVICES } from "../helpers/soak-load.ts";
import { assertTidy } from "../helpers/tidy.ts";

const SECONDS = Number(process.env["SOAK_SECONDS"] ?? 60);
const BUILDS = "https://cloudbuild.googleapis.com/v1/projects/cloudrun-local/locations/global/builds";
const MEBIBYTE = 1024 * 1024;
/** V8 grows its heap and compiles in the first minutes, up to about 130 MiB. Memory is flat only after that; a run of a minute can only exceed a limit. */
const LONG = 600;
const MOST_MEMORY = 180;

const SERVICE = `
  const { createServer } = require("node:http");
  const server = createServer((_, response) => response.end(JSON.stringify({ version: process.env.VERSION })));
  server.listen(process.env.PORT, process.env.HOST);`;

type Round = () => Promise<void>;

/** An emulator with its own folder for temporary files. It records no requests: the record would be too long. */
async function startEmulator() {
  const home = folder();
  const temporary = join(home, "tmp");
  mkdirSync(temporary);
  const env = { TMPDIR: temporary, CLOUDRUN_OAUTH_RECORD: undefined, NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache") };
  const killable = createKillableEmulator(home, env);
  onTestFinished(() => killable.kill());
  let requests = 0;
  const ask: KillableEmulator["ask"] = (...asked) => {
    requests += 1;
    return killable.ask(...asked);
  };
  await killable.start();
  return { emulator: { ...killable, ask }, temporary, requests: () => requests };
}

/** Repeats all rounds at the same time until the time is over, one of them fails, or the emulator is killed. */
async function repeat(rounds: readonly Round[], isOver: () => boolean): Promise<void> {
  let failure: unknown;
  const lanes = rounds.map(async (round) => {
    while (!failure && !isOver()) {
      await round().catch((error: unknown) => {
        if (!failure || !(error instanceof Killed)) failure = error;
      });
    }
  });
  await Promise.all(lanes);
  if (failure) throw failure as Error;
}

/** The steps of the workflow in turn; an interrupted step starts again. */
function repeatSteps({ steps }: CrashWorkflow): Round {
  const walked = Object.values(steps);
  let at = 0;
  return async () => {
    await walked[at % walked.length]?.();
    at += 1;
  };
}

async function removeServices({ ledger }: CrashWorkflow): Promise<void> {
  const { items } = await ledger.get(SERVICES);
  for (const { metadata } of items as Json[]) {
    const url = `${SERVICES}/${metadata["name"]}`;
    expect((await ledger.ask("DELETE", url)).status).toBe(200);
    ledger.rememberGone(url);
    ledger.forget(policyUrl(metadata["name"]));
  }
}

function bytesIn(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}

test.skipIf(!existsSync("/proc/self/fd"))(
  `${SECONDS} seconds of mixed load lose no change that was answered, and leave no process, file handle or temporary folder; memory is flat`,
  { timeout: SECONDS * 1000 + 120_000 },
  async ({ annotate }) => {
    const begun = Date.now();
    const isAfter = (share: number) => () => Date.now() - begun > share * SECONDS * 1000;
    const { emulator, temporary, requests } = await startEmulator();
    const { directory } = emulator;
    const source = archiveOf(Object.entries(tinyService(SERVICE)).map(([path, content]) => ({ path, content })));
    const workflow = await openCrashWorkflow(emulator, [source]);
    const { steps, ledger } = workflow;
    for (const step of ["bucket", "upload", "build"]) await steps[step]?.();
    const { builds } = await ledger.get(BUILDS);
    const [{ name, digest }] = builds[0].results.images;
    const { rounds, done } = await prepareLoad(emulator, ledger, `${name}@${digest}`);

    let kills = 0;
    while (!isAfter(0.4)()) {
      const killed = sleep(500 + Math.random() * Math.min(8000, SECONDS * 50)).then(() => emulator.kill());
      await expect(repeat([...rounds, repeatSteps(workflow)], () => false)).rejects.toThrow(Killed);
      await killed;
      kills += 1;
      await emulator.start();
      await workflow.verify();
      await assertTidy(directory);
    }

    const pid = emulator.pid() as number;
    const becomeIdle = async (): Promise<void> => {
      await removeServices(workflow);
      await expect.poll(() => processesOf(directory), { timeout: 20_000 }).toEqual([]);
    };
    // By now, everything that the first request of a kind opens is open.
    await repeat(rounds, () => true);
    await Promise.all(rounds.map((round) => round()));
    await becomeIdle();
    await sleep(500);
    const before = look(pid);

    const samples: number[] = [];
    let longestJournal = 0;
    const watch = setInterval(() => {
      samples.push(look(pid).memory);
      longestJournal = Math.max(longestJournal, statSync(join(directory, "state.jsonl")).size);
    }, 250);
    onTestFinished(() => clearInterval(watch));
    const isOver = isAfter(1);
    const build = async (): Promise<void> => {
      await steps["build"]?.();
      for (const next = Date.now() + 5000; Date.now() < next && !isOver();) await sleep(100);
    };
    await repeat([...rounds, build], isOver);
    clearInterval(watch);
    await becomeIdle();

    await expect.poll(() => look(pid).files, { timeout: 10_000 }).toBeLessThanOrEqual(before.files);
    await expect.poll(() => look(pid).children, { timeout: 10_000 }).toBeLessThanOrEqual(before.children);
    const after = look(pid);
    await workflow.ledger.verify();
    await emulator.kill();
    await emulator.start();
    const compacted = statSync(join(directory, "state.jsonl")).size;
    await workflow.ledger.verify();
    await emulator.assertReaped();
    await assertTidy(directory);
    const [, middle = [], last = []] = thirds(samples);
    const figures = {
      seconds: Math.round((Date.now() - begun) / 1000),
      requests: requests(),
      ...done,
      builds: (await ledger.get(BUILDS)).builds.length,
      kills: kills + 1,
      memory: { before: before.memory, thirds: thirds(samples).map(median), most: Math.max(...samples), idle: after.memory },
      files: { before: before.files, after: after.files },
      children: { before: before.children, after: after.children },
      journal: { longest: longestJournal, compacted },
      logs: bytesIn(join(directory, "logs")),
      temporary: readdirSync(temporary),
    };
    // `--reporter=verbose` shows it.
    await annotate(JSON.stringify(figures));

    expect(figures.temporary).toEqual([]);
    expect(longestJournal).toBeLessThan(Math.max(MEBIBYTE, 4 * compacted) + MEBIBYTE / 4);
    expect(figures.logs).toBeLessThan(36 * MEBIBYTE);
    expect(median(last)).toBeLessThan(SECONDS < LONG ? MOST_MEMORY : Math.min(MOST_MEMORY, median(middle) * 1.05));
    expect(Object.values(done).filter((count) => count === 0)).toEqual([]);
  },
);

function thirds(samples: readonly number[]): number[][] {
  const third = Math.floor(samples.length / 3);
  return [samples.slice(0, third), samples.slice(third, 2 * third), samples.slice(2 * third)];
}
