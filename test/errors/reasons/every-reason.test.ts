import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { REASONS } from "../../../src/errors/reasons.ts";

/** What the emulator does not say, since it has no clients that could be deleted; the answer is on record: test/invoke/refusal/recorded.test.ts. */
const RECORDED = ["CLIENT_DELETED"];

test("every reason is provoked by one of these tests", () => {
  const folder = new URL(".", import.meta.url);
  const sources = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), "utf8"));
  const cases = sources.flatMap((source) => [...source.matchAll(/^ {2}\[\s*"[^"]+",\s*"([A-Z_]+)",/gm)].map(([, reason]) => reason));
  expect(Object.keys(REASONS).filter((reason) => !cases.includes(reason))).toEqual(RECORDED);
});
