import { execa } from "execa";
import { chmodSync, linkSync, mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Parser, type ReadEntry } from "tar";
import { expect, test } from "vitest";
import { archiveSource } from "../../../src/cloud/source/archive.ts";
import { digestSource } from "../../../src/cloud/source/digest.ts";
import { listSource } from "../../../src/cloud/source/files.ts";
import { folder } from "../../helpers/command-line.ts";
import { failure } from "../../helpers/failure.ts";
import { testNeeding } from "../../helpers/requirements.ts";

async function bytes(directory: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of archiveSource(directory)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function entries(directory: string): Promise<ReadEntry[]> {
  const found: ReadEntry[] = [];
  const parser = new Parser({ onReadEntry: (entry) => (found.push(entry), entry.resume()) });
  const ended = new Promise((resolve) => parser.on("end", resolve));
  parser.end(await bytes(directory));
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

test(".gcloudignore, with the files that it includes, says what isn't sent", async () => {
  const directory = folder({
    ...FILES,
    ".gcloudignore": "# mine\nkey.json\r\ndockerfile\n# !include:.gitignore\n",
    ".gitignore": "node_modules/\n.env\n#!include:more\n",
  });
  mkdirSync(join(directory, "empty"));
  const names = [".gcloudignore", ".gitignore", "@at.js", "Dockerfile", "empty/", "src/", "src/app.js"];
  expect(await listSource(directory)).toEqual(names);
  expect((await entries(directory)).map(({ path }) => path)).toEqual(names.map((name) => `./${name}`));
});

test("without .gcloudignore, the files that gcloud leaves out by default aren't sent", async () => {
  const directory = folder({ ...FILES, ".gitignore": "node_modules\n*.json\n!src\n", ".git/HEAD": "ref" });
  expect(await listSource(directory)).toEqual([".env", "@at.js", "Dockerfile", "src/", "src/app.js"]);
});

testNeeding("gcloud", "gcloud itself chooses the same files", async () => {
  const directory = folder({
    ...FILES,
    "build/a.js": "",
    "Build/b.js": "",
    "logs/keep/x.log": "",
    "logs/x.log": "",
    "docs/a/b/c.md": "",
    "docs/readme.md": "",
    "#odd": "",
    "with space.txt": "",
    "src/deep/build/c.js": "",
    ".gcloudignore":
      "#!include:.gitignore\n/build\n*.log\n!logs/keep/x.log\ndocs/**/*.md\n!readme.md\n\\#odd\nwith space.txt   \n.git*\n[k]ey.?son\n",
    ".gitignore": "node_modules/\n!node_modules/a/index.js\n.env*\n",
  });
  const env = { CLOUDSDK_CONFIG: folder(), CLOUDSDK_CORE_DISABLE_PROMPTS: "1" };
  const { stdout } = await execa("gcloud", ["meta", "list-files-for-upload", directory], { env });
  const files = (await listSource(directory)).filter((path) => !path.endsWith("/"));
  expect(files.toSorted()).toEqual(stdout.split("\n").filter(Boolean).toSorted());
});

test("a file that .gcloudignore includes must be in the same directory", async () => {
  for (const name of [".gitignore", "../.gitignore", ""]) {
    const directory = folder({ Dockerfile: "", ".gcloudignore": `#!include:${name}\n` });
    expect(await failure(bytes(directory))).toMatchObject({ code: "SETTINGS_INVALID", message: expect.stringContaining(name) });
  }
});

test("a link is packed as a link, and left out if its target is missing or a pattern matches the target's kind", async () => {
  const directory = folder({ Dockerfile: "", "a/x": "", ".gcloudignore": "left/\n" });
  for (const [name, target] of [
    ["to-file", "Dockerfile"],
    ["to-folder", "a"],
    ["round", "."],
    ["left", "a"],
    ["broken", "/nowhere/at/all"],
  ] as const)
    symlinkSync(target, join(directory, name));
  const links = (await entries(directory)).filter(({ type }) => type === "SymbolicLink");
  expect(links.map(({ path, linkpath }) => [path, linkpath])).toEqual([
    ["./round", "."],
    ["./to-file", "Dockerfile"],
    ["./to-folder", "a"],
  ]);
});

test("the same source gives the same bytes at any time and for any user, and another source gives others", async () => {
  const one = folder(FILES);
  const other = folder(Object.fromEntries(Object.entries(FILES).toReversed()));
  utimesSync(join(other, "Dockerfile"), 1, 1);
  chmodSync(join(other, ".env"), 0o600);
  chmodSync(join(one, ".env"), 0o664);
  chmodSync(join(one, "src/app.js"), 0o755);
  chmodSync(join(other, "src/app.js"), 0o755);
  // A hard link, as package managers create for files that several packages share.
  linkSync(join(one, "@at.js"), join(one, "at.js"));
  writeFileSync(join(other, "at.js"), "");
  const found = await entries(one);
  expect(found.every(({ mtime, uid, type }) => type !== "Link" && uid === undefined && (mtime?.getUTCFullYear() ?? 1985) === 1985)).toBe(
    true,
  );
  expect(await bytes(one)).toEqual(await bytes(other));
  const digest = await digestSource(one);
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(await digestSource(other)).toBe(digest);
});

test.for<[string, (directory: string) => void]>([
  ["a file's content", (directory) => writeFileSync(join(directory, "Dockerfile"), "FROM node:20-slim\n")],
  ["a file's name", (directory) => renameSync(join(directory, "Dockerfile"), join(directory, "Containerfile"))],
  ["an empty folder", (directory) => mkdirSync(join(directory, "new"))],
  ["an executable bit", (directory) => chmodSync(join(directory, "Dockerfile"), 0o755)],
  ["another file", (directory) => writeFileSync(join(directory, "more"), "")],
  ["a link", (directory) => symlinkSync("Dockerfile", join(directory, "link"))],
])("the digest changes with %s", async ([, change]) => {
  const directory = folder(FILES);
  const before = await digestSource(directory);
  change(directory);
  expect(await digestSource(directory)).not.toBe(before);
});

test("files that aren't sent make no difference to the digest", async () => {
  const directory = folder({ ...FILES, ".gcloudignore": "*.log\n" });
  const before = await digestSource(directory);
  writeFileSync(join(directory, "npm.log"), "");
  expect(await digestSource(directory)).toBe(before);
});

test("a folder without any file to send is refused, and so is a missing one", async () => {
  expect(await failure(bytes(folder({ ".gcloudignore": "*\n" })))).toMatchObject({
    code: "NOT_FOUND",
    message: expect.stringContaining("No files to build"),
  });
  expect(await failure(digestSource(join(folder(), "missing")))).toMatchObject({ code: "NOT_FOUND" });
  expect(await failure(bytes(join(folder(), "missing")))).toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining("missing") });
});
