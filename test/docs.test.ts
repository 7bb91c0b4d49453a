import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EXIT_CODES } from "../src/errors/exit-codes.ts";
import { REASONS } from "../src/errors/reasons.ts";

const DOCUMENT = readFileSync(new URL("../docs/refusals.md", import.meta.url), "utf8");

test("docs/refusals.md lists every reason with its codes and exit codes, and no other", () => {
  const rows = [...DOCUMENT.matchAll(/^\| \[`([A-Z_]+)`\]\(#([a-z_]+)\) \| (.+) \| ([\d, ]+) \|$/gm)];
  expect(rows.map(([, reason, anchor, codes, exits]) => [reason, anchor, codes, exits])).toEqual(
    Object.entries(REASONS).map(([reason, codes]) => [
      reason,
      reason.toLowerCase(),
      codes.map((code) => `\`${code}\``).join(", "),
      codes.map((code) => EXIT_CODES[code]).join(", "),
    ]),
  );
});

test("the README says of every code which exit code it leaves, and of no other", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const rows = [...readme.matchAll(/^\| (\d+) \| ((?:`[A-Z_]+`(?:, )?)+) \|/gm)];
  const told = rows.flatMap(([, exit, codes = ""]) => [...codes.matchAll(/[A-Z_]+/g)].map(([code]) => [code, Number(exit)] as const));
  expect(Object.fromEntries(told)).toEqual(EXIT_CODES);
});

test("docs/refusals.md has a paragraph for every reason, in the order of the list, with something to do", () => {
  const parts = DOCUMENT.split(/^### /m).slice(1);
  const paragraphs = parts.map((part) => part.split(/^## /m)[0]?.trim().split("\n") ?? []);
  expect(paragraphs.map(([name]) => name)).toEqual(Object.keys(REASONS));
  for (const [name, ...lines] of paragraphs) {
    expect([name, lines.join(" ").length > 80, lines.includes("")]).toEqual([name, true, false]);
    expect(lines.join(" ")).toMatch(/`[^`]+`|\]\(https:/);
  }
});
