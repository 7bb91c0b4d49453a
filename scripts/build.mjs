import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const BUDGET = 3_250_000; // bytes, unpacked

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
const manifest = JSON.parse(readFileSync("package.json", "utf8"));

// Built beside and swapped in, so that a build that fails leaves what was there.
const fresh = `dist.${process.pid}`;
process.once("exit", () => rmSync(fresh, { recursive: true, force: true }));
const { metafile } = await build({
  entryPoints: ["src/main.ts", "src/index.ts", "src/emulator.ts", "src/emulator/index.ts"],
  outbase: "src",
  outdir: fresh,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // Names stay, so that a stack trace can be read.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  // google-auth-library would fetch by them, and is given another way: see src/auth/google-library.ts.
  external: ["node-fetch", "https-proxy-agent"],
  metafile: true,
  logLevel: "warning",
  // Bundled CommonJS packages ask for Node's modules by require.
  banner: { js: 'import{createRequire as requireOfBundle}from"node:module";const require=requireOfBundle(import.meta.url);' },
});
execFileSync(process.execPath, [join("node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.build.json", "--outDir", fresh], {
  stdio: "inherit",
});
removeInnerDeclarations();
rmSync("dist", { recursive: true, force: true });
renameSync(fresh, "dist");
writeFileSync("THIRD-PARTY-LICENSES", licences(metafile));
writeFileSync("dist/cloudrun-oauth.schema.json", execFileSync(process.execPath, ["bin/cloudrun-oauth.js", "config", "schema"]));
assertBudget();

/**
 * Leaves of the declarations those that the package's entries lead to: what else the compiler came by is nobody's to import. The compiler
 * leaves the names of the sources in them, and beside a declaration there is a .js, if anything.
 */
function removeInnerDeclarations() {
  const reached = new Set(Object.values(manifest.exports).flatMap(({ types }) => (types ? [join(fresh, relative("dist", types))] : [])));
  for (const file of reached) {
    const text = readFileSync(file, "utf8").replace(/((?:from |import\()"\.[^"]*)\.ts"/g, '$1.js"');
    writeFileSync(file, text);
    for (const [, path] of text.matchAll(/(?:from |import\()"(\.[^"]*)\.js"/g)) reached.add(join(dirname(file), `${path}.d.ts`));
  }
  for (const name of readdirSync(fresh, { recursive: true })) {
    if (name.endsWith(".d.ts") && !reached.has(join(fresh, name))) rmSync(join(fresh, name));
  }
}

/** The licence text of every package of which a byte is in dist/. */
function licences(metafile) {
  const folders = new Set();
  for (const output of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
      if (folder && bytesInOutput > 0) folders.add(folder);
    }
  }
  return [...folders]
    .toSorted()
    .map(licence)
    .join(`\n${"-".repeat(78)}\n\n`);
}

function licence(folder) {
  const { name, version, license, repository } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (!license || !file) throw new Error(`${name} ${version} is bundled, and has no licence ${license ? "text" : "in its package.json"}.`);
  const source = typeof repository === "string" ? repository : repository?.url;
  return `${name} ${version}, ${license}${source ? `\n${source}` : ""}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}

function assertBudget() {
  const size = manifest.files.filter((path) => existsSync(path)).reduce((sum, path) => sum + sizeOf(path), 0);
  if (size > BUDGET) throw new Error(`The package would be ${size} bytes unpacked; the budget is ${BUDGET}.`);
}

function sizeOf(path) {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path)
    .filter((name) => name !== "node_modules")
    .reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
