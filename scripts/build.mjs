import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";
import { lateModules } from "./late-modules.mjs";

const MAX_PACKAGE_BYTES = 2_500_000;
/** The copyright line above the terms of the MIT, ISC, and BSD licenses. */
const COPYRIGHT_LINE = /^ *(?:mit license )?(?:copyright )(?:\(c\)|©|\d).*$/gim;

/** What every run needs: the modules that main.ts imports, our package.json, and the bundler's runtime. */
const MAIN_MODULES =
  /src\/(errors\/(cli-error|exit-codes|ignore-cli-error)|cli\/compile-cache|settings\/(cache-folder|private-files))\.ts$|^(?!.*node_modules).*\/package\.json$|rolldown\/runtime/;

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
const manifest = JSON.parse(readFileSync("package.json", "utf8"));

// The new dist/ replaces the old one only after the build has succeeded.
const newDist = `dist.${process.pid}`;
process.once("exit", () => rmSync(newDist, { recursive: true, force: true }));
const input = {
  platform: "node",
  // One command imports a module statically that another imports when it needs it.
  checks: { ineffectiveDynamicImport: false },
  // google-auth-library doesn't send requests with these, but with the transport of src/auth/google-auth-transport.ts.
  external: ["node-fetch", "https-proxy-agent"],
};
// conf needs these for schemas, migrations, and watching, none of which src/settings/profiles.ts uses. They are 85% of its size.
const unusedByConf = {
  name: "unused-by-conf",
  resolveId: {
    filter: { id: /^(?:ajv\/dist\/2020\.js|ajv-formats|semver|debounce-fn)$/ },
    handler: (_, importer) => (/node_modules[\\/]conf[\\/]/.test(importer) ? "\0unused-by-conf" : undefined),
  },
  load: { filter: { id: /^\0unused-by-conf$/ }, handler: () => "export default undefined; export const Ajv2020 = undefined;" },
};
// The program reads nothing else of package.json.
const onlyVersion = {
  name: "only-version",
  load: {
    filter: { id: /package\.json$/ },
    handler: (id) =>
      id === join(root, "package.json") ? { code: JSON.stringify({ version: manifest.version }), moduleType: "json" } : undefined,
  },
};
const output = {
  dir: newDist,
  comments: false,
  // Functions and classes keep their names, so that stack traces are readable.
  minify: { compress: { target: "node20" }, mangle: { keepNames: true }, codegen: { removeWhitespace: true } },
};
// The command line and the emulator are CommonJS, which Node loads faster than ES modules.
const program = await build({
  ...input,
  input: { main: "src/main.ts", emulator: "src/library/emulator.ts", errors: "src/errors/cli-error.ts" },
  plugins: [
    { name: "spinners", load: { filter: { id: /cli-spinners[\\/]spinners\.json$/ }, handler: keepDefaultSpinners } },
    unusedByConf,
    onlyVersion,
    lateModules,
  ],
  output: {
    ...output,
    format: "cjs",
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name]-[hash].cjs",
    // Each file costs start-up time, so what most runs need is in few files. A group includes what its modules import, unless a group of higher
    // priority has it.
    codeSplitting: {
      groups: [
        { name: "cel", test: /node_modules\/@marcbachmann\/cel-js\//, priority: 5 },
        { name: "conf", test: /node_modules\/conf\//, priority: 3 },
        { name: "valibot", test: /node_modules\/valibot\//, priority: 5 },
        { name: "first", test: MAIN_MODULES, priority: 4 },
        { name: "program", test: /src\/cli\/program\.ts$/, priority: 3 },
        {
          name: "call",
          test: /src\/(context\/(create-context|format-command|print-plan)|cloud\/names|terminal\/(terminal|relative-time)|http\/client|commands\/invoke\/invoke)\.ts$/,
          priority: 2,
        },
        { name: "api", test: /src\/cloud\/api\/api\.ts$/, priority: 1 },
      ],
    },
  },
});
// The library is ES modules, for bundlers. Its CliError is the class that the emulator throws, too.
const library = await build({
  ...input,
  input: { index: "src/index.ts" },
  plugins: [
    unusedByConf,
    { name: "errors", resolveId: { filter: { id: /\/cli-error\.ts$/ }, handler: () => ({ id: "./errors.cjs", external: true }) } },
  ],
  output: {
    ...output,
    format: "es",
    chunkFileNames: "[name]-[hash].js",
    codeSplitting: { groups: [{ name: "library", test: /src\/index\.ts$/ }] },
  },
});
writeFileSync(join(newDist, "emulator.js"), `export { startEmulator } from "./emulator.cjs";\n`);
execFileSync(process.execPath, [join("node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.build.json", "--outDir", newDist], {
  stdio: "inherit",
});
removeInternalDeclarations();
rmSync("dist", { recursive: true, force: true });
renameSync(newDist, "dist");
writeFileSync("THIRD-PARTY-LICENSES", formatLicenses([...program.output, ...library.output]));
writeFileSync("dist/cloudrun-oauth.schema.json", execFileSync(process.execPath, ["bin/cloudrun-oauth.js", "config", "schema"]));
assertPackageSize();

/** Drops the spinners that ora never shows: it uses one of these two, depending on whether the terminal has Unicode. */
function keepDefaultSpinners(path) {
  const { dots, line } = JSON.parse(readFileSync(path, "utf8"));
  return { code: JSON.stringify({ dots, line }), moduleType: "json" };
}

/** Keeps only the declarations that the package's entries import, directly or not, and has them import `.js` instead of `.ts`. */
function removeInternalDeclarations() {
  const reached = new Set(Object.values(manifest.exports).flatMap(({ types }) => (types ? [join(newDist, relative("dist", types))] : [])));
  for (const file of reached) {
    const text = readFileSync(file, "utf8").replace(/((?:from |import\()"\.[^"]*)\.ts"/g, '$1.js"');
    writeFileSync(file, text);
    for (const [, path] of text.matchAll(/(?:from |import\()"(\.[^"]*)\.js"/g)) reached.add(join(dirname(file), `${path}.d.ts`));
  }
  for (const name of readdirSync(newDist, { recursive: true })) {
    if (name.endsWith(".d.ts") && !reached.has(join(newDist, name))) rmSync(join(newDist, name));
  }
}

/** The licenses of all packages that are bundled into dist/; packages whose license has the same words share one text. */
function formatLicenses(chunks) {
  const folders = new Set();
  for (const { modules } of chunks) {
    for (const [path, { renderedLength }] of Object.entries(modules)) {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
      if (folder && renderedLength > 0) folders.add(folder);
    }
  }
  const byWords = new Map();
  for (const { title, terms } of [...folders].toSorted().map(readLicense)) {
    const words = terms.replace(/[\s*]+/g, " ").toLowerCase();
    byWords.set(words, { terms, titles: [...(byWords.get(words)?.titles ?? []), title] });
  }
  return [...byWords.values()].map(({ titles, terms }) => `${titles.join("\n")}\n\n${terms}\n`).join(`\n${"-".repeat(78)}\n\n`);
}

/** A package's license: a title with the copyright lines, and the terms. */
function readLicense(folder) {
  const { name, version, license, repository } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (!license || !file) throw new Error(`${name} ${version} is bundled, but has no license ${license ? "text" : "in its package.json"}.`);
  const source = typeof repository === "string" ? repository : repository?.url;
  const text = readFileSync(join(folder, file), "utf8").trim();
  // Without the copyright lines, equal licenses have equal texts.
  const copyrightLines = text.match(COPYRIGHT_LINE) ?? [];
  const terms = text
    .replace(COPYRIGHT_LINE, "")
    .replace(/^(#+ )?(the )?(mit|isc) licen[cs]e( \((mit|isc)\))?$/gim, "")
    .trim()
    .replace(/\n{3,}/g, "\n\n");
  const title = [`${name} ${version}, ${license}`, source, ...copyrightLines.map((line) => line.trim())].filter(Boolean).join("\n  ");
  return { title, terms };
}

function assertPackageSize() {
  const size = manifest.files.filter((path) => existsSync(path)).reduce((sum, path) => sum + sizeOf(path), 0);
  if (size > MAX_PACKAGE_BYTES) throw new Error(`The package would be ${size} bytes unpacked; the budget is ${MAX_PACKAGE_BYTES}.`);
}

function sizeOf(path) {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path)
    .filter((name) => name !== "node_modules")
    .reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
