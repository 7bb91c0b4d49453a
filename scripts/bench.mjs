// Measures the tool beside its alternatives, and compares the figures with the goals: npm run bench -- --help
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));
const { main } = await load();
process.exitCode = await main(process.argv.slice(2), root, buildPackage);

/** The benchmark measures the package as it is published. */
function buildPackage() {
  execFileSync(process.execPath, [join(root, "scripts/build.mjs")], { stdio: ["ignore", 2, 2] });
}

async function load() {
  const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-bench-code-"));
  try {
    const file = join(folder, "bench.mjs");
    await build({
      input: join(root, "test/bench/main.ts"),
      platform: "node",
      checks: { ineffectiveDynamicImport: false },
      output: { file, format: "es", codeSplitting: false },
    });
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
