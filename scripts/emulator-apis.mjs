// Writes docs/emulator-apis.md: for every method of Google's API descriptions, whether the emulator has a route for it. `--check` only compares.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = join(root, "docs/emulator-apis.md");
const INTRODUCTION = `# Emulated Google APIs

This page lists every method in the Google APIs that the emulator supports at least in part, according to Google's API descriptions. For any other
method or API, the emulator returns 501 and the method's name. \`npm run docs\` generates this page.
`;

const apis = JSON.parse(readFileSync(join(root, "test/fidelity/google-apis.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-methods-"));
try {
  const { createEmulator } = await bundleEmulator();
  const emulator = await createEmulator({ directory: join(folder, "data"), port: 0, env: {} });
  const text = INTRODUCTION + (await formatApis(emulator.url));
  await emulator.close();
  if (!process.argv.includes("--check")) writeFileSync(page, text);
  else if (readFileSync(page, "utf8") !== text) {
    console.error("docs/emulator-apis.md does not list the methods that the emulator has: npm run docs");
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Bundles the emulator from its current source, so that dist/ doesn't have to be up to date. */
async function bundleEmulator() {
  const file = join(folder, "emulator.mjs");
  await build({
    input: join(root, "src/emulator/index.ts"),
    platform: "node",
    checks: { ineffectiveDynamicImport: false },
    output: { file, format: "es", codeSplitting: false },
  });
  return import(pathToFileURL(file).href);
}

async function formatApis(url) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const sections = await Promise.all(
    Object.entries(apis).map(async ([api, { host, methods }]) => {
      const lines = Object.entries(methods);
      const hasRoute = await Promise.all(lines.map(([, [method, path]]) => isEmulated({ url, agent, host, method, path })));
      // A method that uploads has several lines, such as `objects.insert (resumable upload)`.
      const withoutUpload = (name) => name.replace(/ \(.*/, "");
      const emulated = new Set(lines.filter((_, index) => hasRoute[index]).map(([name]) => withoutUpload(name)));
      const names = [...new Set(lines.map(([name]) => withoutUpload(name)))];
      return `\n## ${api}: ${emulated.size} of ${names.length}\n\n| Resource | Emulated | Returns 501 |\n|---|---|---|\n${formatRows(names, emulated)}`;
    }),
  );
  agent.destroy();
  return sections.join("");
}

/** A row for each resource. */
function formatRows(names, emulated) {
  const rows = new Map();
  for (const name of names) {
    const [resource = "", verb] = /^(?:(.*)\.)?([^.]+)$/.exec(name).slice(1);
    const row = rows.get(resource) ?? { emulated: [], missing: [] };
    row[emulated.has(name) ? "emulated" : "missing"].push(`\`${verb}\``);
    rows.set(resource, row);
  }
  return [...rows].map(([resource, { emulated, missing }]) => `| ${resource} | ${emulated.join(" ")} | ${missing.join(" ")} |\n`).join("");
}

/** True if one of the paths that match Google's template has a route: without credentials, that answers with an error other than 501. */
async function isEmulated({ path, ...rest }) {
  const targets = ["x", "projects"].flatMap((first) =>
    ["x", "build/x/x"].map((several) => path.replace("{}", first).replaceAll("{}", "x").replaceAll("{**}", several)),
  );
  const statuses = await Promise.all([...new Set(targets)].map((target) => requestStatus({ ...rest, target })));
  return statuses.some((status) => status !== 501);
}

function requestStatus({ url, agent, host, method, target }) {
  return new Promise((resolve, reject) => {
    request(new URL(target, url), { method, agent, headers: { host, "content-length": 0 } }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode));
    })
      .on("error", reject)
      .end();
  });
}
