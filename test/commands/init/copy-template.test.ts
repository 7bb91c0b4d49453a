import { chmod, mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CliError } from "../../../src/errors/cli-error.ts";
import { TEMPLATES, copyTemplate } from "../../../src/commands/init/copy-template.ts";
import { SCHEMA_URL } from "../../../src/settings/json-schema.ts";

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "copyTemplate-"));
  onTestFinished(async () => {
    await chmod(folder, 0o700);
    await rm(folder, { recursive: true });
  });
  return folder;
}

/** A templates folder with one small template, `hono`, of these files. */
async function templatesOf(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, "hono", name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, text);
  }
  return root;
}

async function refusal(work: Promise<unknown>): Promise<{ code: string; message: string; hint: string | undefined }> {
  const error = await work.then(
    () => new Error("was not refused"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof CliError)) throw error;
  const { code, message, hint } = error;
  return { code, message, hint };
}

test("the templates are the folders under templates/", async () => {
  const names = await readdir(new URL("../../../templates/", import.meta.url));
  expect(names.toSorted()).toEqual([...TEMPLATES].toSorted());
});

test.for(TEMPLATES)("%s is copied completely, under the service's name", async (template) => {
  const directory = join(await temporaryFolder(), "deep", "down");
  const written = await copyTemplate({ template, directory, service: "my-service" });

  const source = await readdir(new URL(`../../../templates/${template}/`, import.meta.url));
  const expected = source
    .filter((name) => name !== "node_modules" && name !== "__pycache__" && name !== ".pytest_cache")
    .map((name) => (name === "gitignore" ? ".gitignore" : name));
  expect(written).toEqual([...expected, "cloudrun-oauth.json"].toSorted());
  expect((await readdir(directory)).toSorted()).toEqual(written);

  expect(await readFile(join(directory, "README.md"), "utf8")).toMatch(/^# my-service\n\n/);
  expect(await readFile(join(directory, "cloudrun-oauth.json"), "utf8")).toBe(
    `{\n  "$schema": "${SCHEMA_URL}",\n  "service": "my-service"\n}\n`,
  );
});

test("package.json and its lockfile get the service's name, and nothing else in them changes", async () => {
  const directory = join(await temporaryFolder(), "new");
  await copyTemplate({ template: "hono", directory, service: "my-service" });
  for (const name of ["package.json", "package-lock.json"]) {
    const template = await readFile(new URL(`../../../templates/hono/${name}`, import.meta.url), "utf8");
    const text = await readFile(join(directory, name), "utf8");
    expect(text).toBe(template.replaceAll('"name": "cloud-run-hono"', '"name": "my-service"'));
  }
});

test("settings are written next to the service", async () => {
  const directory = join(await temporaryFolder(), "new");
  await copyTemplate({ template: "flask", directory, service: "my-service", settings: { region: "europe-west1" } });
  const text = await readFile(join(directory, "cloudrun-oauth.json"), "utf8");
  expect(text).toBe(`{\n  "$schema": "${SCHEMA_URL}",\n  "service": "my-service",\n  "region": "europe-west1"\n}\n`);
});

test("folders are copied with their content, leftovers of work on a template are not", async () => {
  const templatesDirectory = await templatesOf({
    "README.md": "# Title\n\n# Not a title\n",
    "lib/deep/a.js": "a\n",
    "node_modules/x/index.js": "x\n",
    "lib/__pycache__/x.pyc": "x\n",
  });
  const directory = join(await temporaryFolder(), "new");
  const written = await copyTemplate({ template: "hono", directory, service: "$&", templatesDirectory });
  expect(written).toEqual(["README.md", "cloudrun-oauth.json", "lib/deep/a.js"]);
  expect(await readFile(join(directory, "lib/deep/a.js"), "utf8")).toBe("a\n");
  expect(await readFile(join(directory, "README.md"), "utf8")).toBe("# $&\n\n# Not a title\n");
});

test("an existing folder works if it is empty, or a repository without files", async () => {
  const directory = await temporaryFolder();
  await mkdir(join(directory, ".git"));
  const { ino } = await stat(directory);
  const written = await copyTemplate({ template: "express", directory, service: "my-service" });
  expect((await readdir(directory)).toSorted()).toEqual([".git", ...written].toSorted());
  expect((await stat(directory)).ino).toBe(ino);
});

test.for([
  ["expres", 'Did you mean "express"?'],
  ["Flask", 'Did you mean "flask"?'],
  ["fast-api", 'Did you mean "fastapi"?'],
  ["rails", undefined],
  ["", undefined],
  ["../hono", undefined],
])("the template %j is refused", async ([template, hint]) => {
  const directory = join(await temporaryFolder(), "new");
  expect(await refusal(copyTemplate({ template: template!, directory, service: "my-service" }))).toEqual({
    code: "USAGE",
    message: `Unknown template "${template}". Templates: hono, express, flask, fastapi.`,
    hint,
  });
});

test("a folder that is not empty is refused, and stays as it was", async () => {
  const directory = await temporaryFolder();
  for (const name of ["d", "c", "b", "a", ".hidden"]) await writeFile(join(directory, name), name);
  expect(await refusal(copyTemplate({ template: "hono", directory, service: "my-service" }))).toEqual({
    code: "USAGE",
    message: `${directory} isn't empty: it contains .hidden, a, b and 2 more.`,
    hint: "Choose a new or empty directory.",
  });
  expect(await readdir(directory)).toHaveLength(5);
});

test.for(["file", "file/below"])("%s is refused if a file is in the way", async (path) => {
  const root = await temporaryFolder();
  await writeFile(join(root, "file"), "mine");
  const directory = join(root, path);
  expect(await refusal(copyTemplate({ template: "hono", directory, service: "my-service" }))).toEqual({
    code: "USAGE",
    message: `${directory} isn't a directory.`,
    hint: "Choose a new or empty directory.",
  });
  expect(await readFile(join(root, "file"), "utf8")).toBe("mine");
});

test("a folder whose name is too long is refused", async () => {
  const directory = join(await temporaryFolder(), "n".repeat(300));
  const { code, message } = await refusal(copyTemplate({ template: "hono", directory, service: "my-service" }));
  expect(code).toBe("USAGE");
  expect(message).toMatch(/^Can't read .*: the name is too long\.$/);
});

test("a broken link is refused, and stays as it was", async () => {
  const directory = join(await temporaryFolder(), "link");
  await symlink("nowhere", directory);
  const { code, message, hint } = await refusal(copyTemplate({ template: "hono", directory, service: "my-service" }));
  expect(code).toBe("USAGE");
  expect(message).toMatch(/^Can't write /);
  expect(hint).toBe("Choose a new or empty directory.");
  expect(await readlink(directory)).toBe("nowhere");
});

test.skipIf(process.getuid?.() === 0)("a folder without write permission is refused (skipped for root)", async () => {
  const directory = await temporaryFolder();
  await chmod(directory, 0o500);
  expect(await refusal(copyTemplate({ template: "hono", directory, service: "my-service" }))).toEqual({
    code: "USAGE",
    message: `Can't write ${directory}: permission denied.`,
    hint: "Choose a new or empty directory.",
  });
});

// A folder in place of cloudrun-oauth.json: only the last file cannot be written.
const FAILS_LAST = { "a.js": "a\n", "lib/b.js": "b\n", "cloudrun-oauth.json/c.js": "c\n" };

test("a copy that fails halfway removes the folders that it created", async () => {
  const templatesDirectory = await templatesOf(FAILS_LAST);
  const root = await temporaryFolder();
  const directory = join(root, "made", "for", "it");
  const { code, message } = await refusal(copyTemplate({ template: "hono", directory, service: "s", templatesDirectory }));
  expect({ code, message }).toEqual({ code: "USAGE", message: `Can't write ${directory}: it already exists.` });
  expect(await readdir(root)).toEqual([]);
});

test("a copy that fails halfway leaves an existing folder as it was", async () => {
  const templatesDirectory = await templatesOf(FAILS_LAST);
  const directory = await temporaryFolder();
  await mkdir(join(directory, ".git", "objects"), { recursive: true });
  expect(await refusal(copyTemplate({ template: "hono", directory, service: "s", templatesDirectory }))).toMatchObject({ code: "USAGE" });
  expect(await readdir(directory, { recursive: true })).toEqual([".git", ".git/objects"]);
});
