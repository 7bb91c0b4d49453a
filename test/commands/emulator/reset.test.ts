import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder, runCli } from "../../helpers/command-line.ts";

test("reset deletes everything, and under --dry-run only prints its plan", async () => {
  const home = folder({ "data/state.jsonl": "" });
  const dry = await runCli(["emulator", "reset", "--dry-run", "--yes", "--data-dir", home]);
  expect(dry).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(join(home, "data")) });
  expect(existsSync(join(home, "data", "state.jsonl"))).toBe(true);
  expect(await runCli(["emulator", "reset", "--yes", "--data-dir", home])).toMatchObject({ exitCode: 0 });
  expect(existsSync(join(home, "data"))).toBe(false);
});
