// Measures against what a user would take instead, and holds the figures against the goals: npm run bench -- --help
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { main } = await load();
process.exitCode = await main(process.argv.slice(2), root, buildPackage);

/** What is measured is what is shipped. */
function buildPackage() {
  execFileSync(process.execPath, [join(root, "scripts/build.mjs")], { stdio: ["ignore", 2, 2] });
}

async function load() {
  const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-bench-code-"));
  try {
    const outfile = join(folder, "bench.mjs");
    await build({
      entryPoints: [join(root, "test/bench/main.ts")],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      logLevel: "warning",
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
