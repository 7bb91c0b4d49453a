import { chmodSync, renameSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Parser } from "tar";
import { expect, test } from "vitest";
import { archiveSource } from "../../src/cloud/source-archive.ts";
import { digestSource } from "../../src/cloud/source-digest.ts";
import { folder } from "../helpers/command-line.ts";

async function names(directory: string): Promise<string[]> {
  const found: string[] = [];
  const parser = new Parser({ onReadEntry: (entry) => (found.push(entry.path), entry.resume()) });
  const ended = new Promise((resolve) => parser.on("end", resolve));
  parser.end(await archiveSource(directory));
  await ended;
  return found;
}

const FILES = {
  Dockerfile: "FROM node:22-slim\n",
  "src/app.js": "",
  "node_modules/a/index.js": "",
  "key.json": "{}",
  "@at.js": "",
  ".env": "",
};

test(".gcloudignore says what stays here, with what it includes", async () => {
  const directory = folder({
    ...FILES,
    ".gcloudignore": "# mine\nkey.json\n#!include:.gitignore\n",
    ".gitignore": "node_modules/\n.env\n",
  });
  expect(await names(directory)).toEqual(["./.gcloudignore", "./.gitignore", "./@at.js", "./Dockerfile", "./src/app.js"]);
});

test("without .gcloudignore it is what gcloud leaves out by itself", async () => {
  const directory = folder({ ...FILES, ".gitignore": "node_modules\n*.json\n!src\n", ".git/HEAD": "ref" });
  expect(await names(directory)).toEqual(["./.env", "./@at.js", "./Dockerfile", "./src/app.js"]);
});

test("a link is packed as a link, even one that leads nowhere", async () => {
  const directory = folder({ Dockerfile: "" });
  symlinkSync("/nowhere/at/all", join(directory, "link"));
  expect(await names(directory)).toEqual(["./Dockerfile", "./link"]);
});

test("a folder of which nothing is left is refused", async () => {
  await expect(archiveSource(folder({ ".gcloudignore": "*\n" }))).rejects.toMatchObject({
    code: "NOT_FOUND",
    message: expect.stringContaining("holds no file to build from"),
  });
});

test("the same files come to the same bytes and the same digest, wherever and whenever they were written", async () => {
  const [one, other] = [folder(FILES), folder(FILES)];
  utimesSync(join(other, "Dockerfile"), new Date(0), new Date(0));
  expect((await archiveSource(one)).equals(await archiveSource(other))).toBe(true);
  expect(await digestSource(one)).toBe(await digestSource(other));
});

test.for<[string, (directory: string) => void]>([
  ["what is in a file", (directory) => writeFileSync(join(directory, "Dockerfile"), "FROM node:20-slim\n")],
  ["another name", (directory) => renameSync(join(directory, "Dockerfile"), join(directory, "Containerfile"))],
  ["that it can be run", (directory) => chmodSync(join(directory, "Dockerfile"), 0o755)],
  ["a file more", (directory) => writeFileSync(join(directory, "more"), "")],
  ["where a link leads", (directory) => symlinkSync("Dockerfile", join(directory, "link"))],
])("the digest tells %s", async ([, change]) => {
  const directory = folder(FILES);
  const before = await digestSource(directory);
  change(directory);
  expect(await digestSource(directory)).not.toBe(before);
});

test("what stays here makes no difference to the digest", async () => {
  const directory = folder({ ...FILES, ".gcloudignore": "*.log\n" });
  const before = await digestSource(directory);
  writeFileSync(join(directory, "npm.log"), "");
  expect(await digestSource(directory)).toBe(before);
});
