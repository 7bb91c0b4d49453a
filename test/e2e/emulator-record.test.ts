import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newcomer } from "../helpers/bin.ts";
import { RECORDING } from "../helpers/recording.ts";

const CALL = ["--", "curl", "-sS", "https://run.googleapis.com/v1/projects/cloudrun-local/locations?key=secret"];

function linesOf(file: string): unknown[] {
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as unknown);
}

const LINE = { method: "GET", url: "https://run.googleapis.com/v1/projects/cloudrun-local/locations", status: 401 };

test("--record writes down what a program has called, relative to where it was started", async () => {
  const user = newcomer();
  expect(await user.run(["emulator", "exec", "--record", "calls.jsonl", ...CALL])).toMatchObject({ exitCode: 0 });
  expect(linesOf(join(user.work, "calls.jsonl"))).toEqual([expect.objectContaining(LINE)]);
});

test("so does CLOUDRUN_OAUTH_RECORD, by which these tests see how an emulator in another process answers", async () => {
  const user = newcomer();
  expect(user.env["CLOUDRUN_OAUTH_RECORD"]).toBe(RECORDING);
  await user.run(["emulator", "exec", ...CALL]);
  expect(linesOf(RECORDING)).toContainEqual(expect.objectContaining(LINE));
});
