import { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { programName } from "../../src/context/program-name.ts";
import { folder } from "../helpers/command-line.ts";

const SCRIPT = "bin/cloudrun-oauth.js";
/** A clone of this project, or an installed copy of it. */
const PACKAGE = { [SCRIPT]: "", "package.json": "{}", "src/main.ts": "" };

function startedFrom(root: string, PATH = "/usr/bin") {
  return { env: { PATH }, self: [process.execPath, join(root, SCRIPT)] };
}

test("a copy that is on PATH is started by its name", () => {
  const [root, bin] = [folder(PACKAGE), folder()];
  symlinkSync(join(root, SCRIPT), join(bin, "cloudrun-oauth"));
  expect(programName(startedFrom(root, `/usr/bin:${bin}`), "/")).toEqual(["cloudrun-oauth"]);
});

test("another copy on PATH doesn't count", () => {
  const root = realpathSync(folder(PACKAGE));
  const bin = folder({ "cloudrun-oauth": "" });
  expect(programName(startedFrom(root, bin), root)).toEqual(["npx", "cloudrun-oauth"]);
});

test("in a clone, npx finds it from the clone's folders, and Node from a package inside", () => {
  const root = realpathSync(folder({ ...PACKAGE, "docs/index.md": "", "hello/package.json": "{}" }));
  expect(programName(startedFrom(root), root)).toEqual(["npx", "cloudrun-oauth"]);
  expect(programName(startedFrom(root), join(root, "docs"))).toEqual(["npx", "cloudrun-oauth"]);
  expect(programName(startedFrom(root), join(root, "hello"))).toEqual(["node", `../${SCRIPT}`]);
});

test("an installed copy is started by npx, although npx puts node_modules/.bin on PATH", () => {
  const project = realpathSync(folder({ "package.json": "{}", [`node_modules/cloudrun-oauth/${SCRIPT}`]: "" }));
  const bin = join(project, "node_modules/.bin");
  mkdirSync(bin);
  symlinkSync(`../cloudrun-oauth/${SCRIPT}`, join(bin, "cloudrun-oauth"));
  const start = startedFrom(join(project, "node_modules/cloudrun-oauth"), `${bin}:/usr/bin`);
  expect(programName(start, project)).toEqual(["npx", "cloudrun-oauth"]);
});

test("a copy in npx's cache is started by npx, and an unknown start by the name", () => {
  const home = realpathSync(folder({ [`_npx/1a2b/node_modules/cloudrun-oauth/${SCRIPT}`]: "" }));
  expect(programName(startedFrom(join(home, "_npx/1a2b/node_modules/cloudrun-oauth")), home)).toEqual(["npx", "cloudrun-oauth"]);
  expect(programName({ env: {}, self: [] }, home)).toEqual(["cloudrun-oauth"]);
});
