import { existsSync, readFileSync, rmSync } from "node:fs";
import { afterAll, afterEach } from "vitest";
import { findDeviations } from "../fidelity/google-apis.ts";
import { RECORDING } from "./recording.ts";
import { assertNoSecrets } from "./secret-scan.ts";

interface Recorded {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly answer?: unknown;
}

let read = 0;

/** Every answer of an emulator in a test, in any process, must have the fields and types of Google's API description. */
afterEach(() => {
  if (!existsSync(RECORDING)) return;
  const recording = readFileSync(RECORDING);
  // A process that is still running can be in the middle of the last line.
  const end = recording.lastIndexOf("\n") + 1;
  const text = recording.subarray(read, end).toString("utf8");
  const lines = text.split("\n").filter(Boolean);
  read = end;
  assertNoSecrets({ "what an emulator records": text });
  const answers = lines.map((line) => JSON.parse(line) as Recorded).filter(({ status, answer }) => status < 300 && answer !== undefined);
  const deviations = new Set(answers.flatMap((answer) => findDeviations(answer)));
  if (deviations.size > 0) throw new Error(`Google would not answer like this:\n${[...deviations].join("\n")}`);
});

afterAll(() => rmSync(RECORDING, { force: true }));
