import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";
import { ascii } from "./ascii.mjs";
import { lateModules } from "./late-modules.mjs";

const BUDGET = 2_500_000; // bytes, unpacked
/** A line that says whose a work is, as it stands above the terms of the MIT, ISC and BSD licences. */
const OWNER = /^ *(?:mit license )?(?:copyright )(?:\(c\)|©|\d).*$/gim;

/** What every start needs: our own modules that main.ts imports, our package.json, and the bundler's runtime. */
const FIRST =
  /src\/(errors\/(cli-error|exit-codes)|cli\/compile-cache|settings\/private-files)\.ts$|^(?!.*node_modules).*\/package\.json$|rolldown\/runtime/;

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
const manifest = JSON.parse(readFileSync("package.json", "utf8"));

// Built beside and swapped in, so that a build that fails leaves what was there.
const fresh = `dist.${process.pid}`;
process.once("exit", () => rmSync(fresh, { recursive: true, force: true }));
const input = {
  platform: "node",
  // What one command needs at once, another may need late.
  checks: { ineffectiveDynamicImport: false },
  // google-auth-library would fetch by them, and is given another way: see src/auth/google-library.ts.
  external: ["node-fetch", "https-proxy-agent"],
};
const output = {
  dir: fresh,
  comments: false,
  // Names stay, so that a stack trace can be read.
  minify: { compress: { target: "node20" }, mangle: false, codegen: { removeWhitespace: true } },
};
// The command line, with the emulator, is CommonJS: Node loads that faster than modules, and what a run does not need not at all.
const program = await build({
  ...input,
  input: { main: "src/main.ts", emulator: "src/library/emulator.ts", errors: "src/errors/cli-error.ts" },
  plugins: [
    { name: "spinners", load: { filter: { id: /cli-spinners[\\/]spinners\.json$/ }, handler: keepOwnSpinners } },
    lateModules,
    ascii,
  ],
  output: {
    ...output,
    format: "cjs",
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name]-[hash].cjs",
    // Each file costs a start something, so what most runs need is in few. A group takes along what its modules import, unless one before it
    // has it.
    codeSplitting: {
      groups: [
        { name: "cel", test: /node_modules\/@marcbachmann\/cel-js\//, priority: 5 },
        { name: "valibot", test: /node_modules\/valibot\//, priority: 5 },
        { name: "first", test: FIRST, priority: 4 },
        { name: "program", test: /src\/cli\/program\.ts$/, priority: 3 },
        { name: "call", test: /src\/(context\/create-context|terminal\/terminal|http\/client|commands\/invoke\/invoke)\.ts$/, priority: 2 },
        { name: "api", test: /src\/cloud\/api\/api\.ts$/, priority: 1 },
      ],
    },
  },
});
// The library is of modules, as those want it who bundle what they ship. An error is of one class, whichever door it comes by.
const library = await build({
  ...input,
  input: { index: "src/index.ts" },
  plugins: [{ name: "errors", resolveId: { filter: { id: /\/cli-error\.ts$/ }, handler: () => ({ id: "./errors.cjs", external: true }) } }],
  output: {
    ...output,
    format: "es",
    chunkFileNames: "[name]-[hash].js",
    codeSplitting: { groups: [{ name: "library", test: /src\/index\.ts$/ }] },
  },
});
writeFileSync(join(fresh, "emulator.js"), `export { startEmulator } from "./emulator.cjs";\n`);
execFileSync(process.execPath, [join("node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.build.json", "--outDir", fresh], {
  stdio: "inherit",
});
removeInnerDeclarations();
rmSync("dist", { recursive: true, force: true });
renameSync(fresh, "dist");
writeFileSync("THIRD-PARTY-LICENSES", licences([...program.output, ...library.output]));
writeFileSync("dist/cloudrun-oauth.schema.json", execFileSync(process.execPath, ["bin/cloudrun-oauth.js", "config", "schema"]));
assertNoImports(program.output);
assertBudget();

/** ora brings some eighty spinners, and shows one of two: this one, or the other where a terminal has no Unicode. */
function keepOwnSpinners(path) {
  const { dots, line } = JSON.parse(readFileSync(path, "utf8"));
  return { code: JSON.stringify({ dots, line }), moduleType: "json" };
}

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

/** The licence of every package of which a byte is in dist/; packages that have one in the same words share its text. */
function licences(chunks) {
  const folders = new Set();
  for (const { modules } of chunks) {
    for (const [path, { renderedLength }] of Object.entries(modules)) {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
      if (folder && renderedLength > 0) folders.add(folder);
    }
  }
  const sharers = new Map();
  for (const { title, terms } of [...folders].toSorted().map(licence)) {
    const words = terms.replace(/[\s*]+/g, " ").toLowerCase();
    sharers.set(words, { terms, titles: [...(sharers.get(words)?.titles ?? []), title] });
  }
  return [...sharers.values()].map(({ titles, terms }) => `${titles.join("\n")}\n\n${terms}\n`).join(`\n${"-".repeat(78)}\n\n`);
}

/** A package's licence: what it is called with whose it is, and the terms. */
function licence(folder) {
  const { name, version, license, repository } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (!license || !file) throw new Error(`${name} ${version} is bundled, and has no licence ${license ? "text" : "in its package.json"}.`);
  const source = typeof repository === "string" ? repository : repository?.url;
  const text = readFileSync(join(folder, file), "utf8").trim();
  // A text that names its owner in a line of its own is the same as others without it.
  const owners = text.match(OWNER) ?? [];
  const terms = text
    .replace(OWNER, "")
    .replace(/^(#+ )?(the )?(mit|isc) licen[cs]e( \((mit|isc)\))?$/gim, "")
    .trim()
    .replace(/\n{3,}/g, "\n\n");
  const title = [`${name} ${version}, ${license}`, source, ...owners.map((owner) => owner.trim())].filter(Boolean).join("\n  ");
  return { title, terms };
}

/**
 * Code that was kept (src/cli/compile-cache.ts) has no import() of what is outside it. google-auth-library's are for a Node without Web Crypto, and for the
 * requests that it does not make itself here.
 */
function assertNoImports(chunks) {
  const unused = new Set(["crypto", "https-proxy-agent", "node-fetch"]);
  for (const { fileName, code } of chunks) {
    for (const [found, id] of code?.matchAll(/(?<![.\w$])import\(["'`]?([^"'`)]*)/g) ?? []) {
      if (!unused.has(id))
        throw new Error(`${fileName} has ${found}…): import its module at the top, where it is loaded when it is first used.`);
    }
  }
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
