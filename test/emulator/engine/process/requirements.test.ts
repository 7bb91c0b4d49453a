import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { areRequirementsMet, readRequirements } from "../../../../src/emulator/engine/process/requirements.ts";
import { testNeeding } from "../../../helpers/requirements.ts";
import { temporaryFolder } from "../../../helpers/process-engine.ts";

const CASES: readonly (readonly [requirement: string, met: boolean])[] = [
  ["sample", true],
  ["sample==1.4.2", true],
  ["sample==1.4.2.0", true],
  ["sample == 1.4.*", true],
  ["sample==1.5.*", false],
  ["sample!=1.4.*", false],
  ["sample!=1.4.1", true],
  ["sample>=1.4,<2", true],
  ["sample>=1.4, <1.4.2", false],
  ["sample>1.4.2", false],
  ["sample<=1.4.2", true],
  ["sample~=1.4", true],
  ["sample~=1.3", true],
  ["sample~=1.4.0", true],
  ["sample~=1.3.0", false],
  ["sample~=1.5", false],
  ["sample>=1.10", false],
  ["Sample>=1", true],
  ["missing", false],
  // Requirements other than names and versions are left to pip.
  ["sample[extra]>=1", false],
  ["sample>=1; python_version > '3'", false],
  ["sample @ https://example.com/sample.whl", false],
  ["./sample.whl", false],
];

testNeeding("python", "requirements that the installed packages meet need no index", async ([python = ""]) => {
  const folder = temporaryFolder({ "sample-1.4.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: sample\nVersion: 1.4.2\n" });
  const run = async ([program = "", ...args]: readonly string[]) =>
    void execFileSync(program, args, { stdio: "pipe", env: { PYTHONPATH: folder } });
  const found: [string, boolean][] = [];
  for (const [requirement] of CASES) found.push([requirement, await areRequirementsMet([requirement], python, run)]);
  expect(found).toEqual(CASES);
  expect(await areRequirementsMet(["sample", "sample>1", "missing"], python, run)).toBe(false);
  expect(await areRequirementsMet(["sample", "sample>1"], python, run)).toBe(true);
});

test("requirements are read from pip's arguments and its requirements files", async () => {
  const folder = temporaryFolder({ "requirements.txt": "# pinned\nflask>=2.2,<4 # the framework\n\n  gunicorn\r\n" });
  expect(await readRequirements(["install", "--no-cache-dir", "requests", "-r", "requirements.txt"], folder)).toEqual([
    "requests",
    "flask>=2.2,<4",
    "gunicorn",
  ]);
});

test("other pip arguments need pip", async () => {
  expect(await readRequirements(["install", "--upgrade", "pip"], ".")).toBeUndefined();
  expect(await readRequirements(["install", "--target=/deps", "flask"], ".")).toBeUndefined();
});
