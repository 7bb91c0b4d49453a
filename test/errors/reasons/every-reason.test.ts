import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { REASONS } from "../../../src/errors/reasons.ts";

/** The emulator has no clients that can be deleted; Google's response is recorded in test/invoke/refusal/recorded.test.ts. */
const RECORDED = ["CLIENT_DELETED"];

test("every reason is provoked by one of these tests", () => {
  const folder = new URL(".", import.meta.url);
  const sources = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), "utf8"));
  const cases = sources.flatMap((source) => [...source.matchAll(/^ {2}\[\s*"[^"]+",\s*"([A-Z_]+)",/gm)].map(([, reason]) => reason));
  expect(Object.keys(REASONS).filter((reason) => !cases.includes(reason))).toEqual(RECORDED);
});
