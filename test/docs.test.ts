import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { EXIT_CODES } from "../src/errors/exit-codes.ts";
import { REASONS } from "../src/errors/reasons.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const REJECTED_REQUESTS = readPage("docs/rejected-requests.md");

function readPage(path: string): string {
  return readFileSync(ROOT + path, "utf8");
}

test("docs/rejected-requests.md lists every reason with its codes and exit codes", () => {
  const rows = [...REJECTED_REQUESTS.matchAll(/^\| \[`([A-Z_]+)`\]\(#([a-z_]+)\) \| (.+) \| ([\d, ]+) \|$/gm)];
  expect(rows.map(([, reason, anchor, codes, exits]) => [reason, anchor, codes, exits])).toEqual(
    Object.entries(REASONS).map(([reason, codes]) => [
      reason,
      reason.toLowerCase(),
      codes.map((code) => `\`${code}\``).join(", "),
      codes.map((code) => EXIT_CODES[code]).join(", "),
    ]),
  );
});

test("docs/rejected-requests.md has a paragraph for every reason, in the order of the list, with a command or link", () => {
  const parts = REJECTED_REQUESTS.split(/^### /m).slice(1);
  const paragraphs = parts.map((part) => part.split(/^## /m)[0]?.trim().split("\n") ?? []);
  expect(paragraphs.map(([name]) => name)).toEqual(Object.keys(REASONS));
  for (const [name, ...lines] of paragraphs) {
    expect([name, lines.join(" ").length > 80, lines.includes("")]).toEqual([name, true, false]);
    expect(lines.join(" ")).toMatch(/`[^`]+`|\]\(https:/);
  }
});

test("docs/exit-codes.md lists every error code with its exit code", () => {
  const rows = [...readPage("docs/exit-codes.md").matchAll(/^\| (\d+) \| ((?:`[A-Z_]+`(?:, )?)+) \|/gm)];
  const listed = rows.flatMap(([, exitCode, codes = ""]) => [...codes.matchAll(/[A-Z_]+/g)].map(([code]) => [code, Number(exitCode)]));
  expect(Object.fromEntries(listed)).toEqual(EXIT_CODES);
});

test("docs/commands and the README's list of commands match the command tree", () => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/commands-docs.mjs", "--check"], { cwd: ROOT, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

test("every link in the pages leads to a file, and every anchor to a heading", () => {
  const pages = execFileSync("git", ["ls-files", "*.md"], { cwd: ROOT, encoding: "utf8" }).trim().split("\n");
  const broken = pages.flatMap((page) =>
    [...withoutCode(readPage(page)).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
      .filter(([, path = "", anchor]) => !isTarget(new URL(path || page.replace(/.*\//, ""), `file://${ROOT}${page}`), anchor))
      .map(([link]) => `${page}: ${link}`),
  );
  expect(broken).toEqual([]);
});

function withoutCode(text: string): string {
  return text.replace(/^```[^]*?^```/gm, "").replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ""));
}

function isTarget(file: URL, anchor: string | undefined): boolean {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return false;
  }
  // https://github.com/gjtorikian/html-pipeline: how GitHub derives anchors
  const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .replaceAll(" ", "-"),
  );
  return anchor === undefined || anchors.includes(anchor);
}
