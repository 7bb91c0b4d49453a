import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TEMPLATES, copyTemplate } from "../../../src/commands/init/copy-template.ts";
import { SCHEMA_URL } from "../../../src/settings/json-schema.ts";
import { folder } from "../../helpers/command-line.ts";

const read = (...path: string[]) => readFileSync(join(...path), "utf8");
const templatePath = (path: string) => new URL(`../../../templates/${path}`, import.meta.url);

/** A templates folder with one small template, `hono`, of these files. */
function templatesOf(files: Readonly<Record<string, string>>): string {
  return folder(Object.fromEntries(Object.entries(files).map(([name, text]) => [`hono/${name}`, text])));
}

/** Asserts that a folder can't be written to: with this message, in which `FOLDER` stands for its path. */
async function expectRefusal(directory: string, message: string): Promise<void> {
  await expect(copyTemplate({ template: "hono", directory, service: "my-service" })).rejects.toMatchObject({
    code: "USAGE",
    message: message.replace("FOLDER", directory),
    hint: "Choose a new or empty directory.",
  });
}

test("the templates are the folders under templates/", () => {
  expect(readdirSync(templatePath("")).toSorted()).toEqual([...TEMPLATES].toSorted());
});

test.for(TEMPLATES)("%s is copied completely, under the service's name, with settings", async (template) => {
  const directory = join(folder(), "deep", "down");
  const written = await copyTemplate({ template, directory, service: "my-service", settings: { region: "europe-west1" } });
  const expected = readdirSync(templatePath(template))
    .filter((name) => name !== "node_modules" && name !== "__pycache__" && name !== ".pytest_cache")
    .map((name) => (name === "gitignore" ? ".gitignore" : name));
  expect(written).toEqual([...expected, "cloudrun-oauth.json"].toSorted());
  expect(readdirSync(directory).toSorted()).toEqual(written);
  expect(read(directory, "README.md")).toMatch(/^# my-service\n\n/);
  expect(read(directory, "cloudrun-oauth.json")).toBe(
    `{\n  "$schema": "${SCHEMA_URL}",\n  "service": "my-service",\n  "region": "europe-west1"\n}\n`,
  );
});

test("package.json and its lockfile get the service's name, and nothing else in them changes", async () => {
  const directory = join(folder(), "new");
  await copyTemplate({ template: "hono", directory, service: "my-service" });
  for (const name of ["package.json", "package-lock.json"]) {
    const template = readFileSync(templatePath(`hono/${name}`), "utf8");
    expect(read(directory, name)).toBe(template.replaceAll('"name": "cloud-run-hono"', '"name": "my-service"'));
  }
});

test("folders are copied with their content, leftovers of work on a template are not", async () => {
  const templatesDirectory = templatesOf({
    "README.md": "# Title\n\n# Not a title\n",
    "lib/deep/a.js": "a\n",
    "node_modules/x/index.js": "x\n",
    "lib/__pycache__/x.pyc": "x\n",
  });
  const directory = join(folder(), "new");
  const written = await copyTemplate({ template: "hono", directory, service: "$&", templatesDirectory });
  expect(written).toEqual(["README.md", "cloudrun-oauth.json", "lib/deep/a.js"]);
  expect([read(directory, "lib/deep/a.js"), read(directory, "README.md")]).toEqual(["a\n", "# $&\n\n# Not a title\n"]);
});

test("an existing folder works if it is empty, or a repository without files", async () => {
  const directory = folder();
  mkdirSync(join(directory, ".git"));
  const { ino } = statSync(directory);
  const written = await copyTemplate({ template: "express", directory, service: "my-service" });
  expect([readdirSync(directory).toSorted(), statSync(directory).ino]).toEqual([[".git", ...written].toSorted(), ino]);
});

test.for([
  ["expres", 'Did you mean "express"?'],
  ["Flask", 'Did you mean "flask"?'],
  ["fast-api", 'Did you mean "fastapi"?'],
  ["rails", undefined],
  ["", undefined],
  ["../hono", undefined],
])("the template %j is refused", async ([template = "", hint]) => {
  await expect(copyTemplate({ template, directory: join(folder(), "new"), service: "my-service" })).rejects.toMatchObject({
    code: "USAGE",
    message: `Unknown template "${template}". Templates: hono, express, flask, fastapi.`,
    hint,
  });
});

test("a folder that can't be written to is refused, and stays as it was", async () => {
  const full = folder({ d: "", c: "", b: "", a: "", ".hidden": "" });
  await expectRefusal(full, "FOLDER isn't empty: it contains .hidden, a, b and 2 more.");
  expect(readdirSync(full)).toHaveLength(5);

  const root = folder({ file: "mine" });
  await expectRefusal(join(root, "file"), "FOLDER isn't a directory.");
  await expectRefusal(join(root, "file/below"), "FOLDER isn't a directory.");
  expect(read(root, "file")).toBe("mine");

  await expectRefusal(join(root, "n".repeat(300)), "Can't read FOLDER: the name is too long.");
  symlinkSync("nowhere", join(root, "link"));
  await expect(copyTemplate({ template: "hono", directory: join(root, "link"), service: "s" })).rejects.toMatchObject({ code: "USAGE" });
  expect(readlinkSync(join(root, "link"))).toBe("nowhere");
});

test.skipIf(process.getuid?.() === 0)("a folder without write permission is refused (skipped for root)", async () => {
  const directory = folder();
  chmodSync(directory, 0o500);
  await expect(copyTemplate({ template: "hono", directory, service: "s" })).rejects.toMatchObject({ code: "USAGE" });
});

test("a copy that fails halfway removes what it created, and leaves an existing folder as it was", async () => {
  // A folder in place of cloudrun-oauth.json: only the last file can't be written.
  const templatesDirectory = templatesOf({ "a.js": "a\n", "lib/b.js": "b\n", "cloudrun-oauth.json/c.js": "c\n" });
  const root = folder({ "repository/.git/HEAD": "" });
  const refuse = (directory: string) =>
    expect(copyTemplate({ template: "hono", directory, service: "s", templatesDirectory })).rejects.toMatchObject({ code: "USAGE" });
  await refuse(join(root, "made", "for", "it"));
  expect(existsSync(join(root, "made"))).toBe(false);
  await refuse(join(root, "repository"));
  expect(readdirSync(join(root, "repository"), { recursive: true })).toEqual([".git", ".git/HEAD"]);
});
