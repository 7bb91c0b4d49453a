// Writes the table of Google's methods into the emulator's README: each is asked of an emulator, and has a route or is answered 501. `--check` only compares.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = join(root, "src/emulator/README.md");
const [BEGIN, END] = ["<!-- methods: npm run docs -->\n", "<!-- end of methods -->"];

const apis = JSON.parse(readFileSync(join(root, "test/fidelity/google-apis.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-methods-"));
try {
  const { createEmulator } = await load();
  const emulator = await createEmulator({ directory: join(folder, "data"), port: 0, env: {} });
  const text = readFileSync(readme, "utf8");
  const next = text.slice(0, text.indexOf(BEGIN) + BEGIN.length) + (await describe(emulator.url)) + text.slice(text.indexOf(END));
  await emulator.close();
  if (next !== text && process.argv.includes("--check")) {
    console.error("src/emulator/README.md does not list the methods that the emulator has: npm run docs");
    process.exitCode = 1;
  } else if (next !== text) writeFileSync(readme, next);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Bundles the emulator from its current source, so that dist/ doesn't have to be up to date. */
async function load() {
  const file = join(folder, "emulator.mjs");
  await build({
    input: join(root, "src/emulator/index.ts"),
    platform: "node",
    checks: { ineffectiveDynamicImport: false },
    output: { file, format: "es", codeSplitting: false },
  });
  return import(pathToFileURL(file).href);
}

async function describe(url) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const parts = await Promise.all(
    Object.entries(apis).map(async ([name, { host, methods }]) => {
      const found = await Promise.all(Object.values(methods).map(([method, path]) => isEmulated({ url, agent, host, method, path })));
      // A method that uploads has more than one line.
      const emulated = new Set(
        Object.keys(methods)
          .filter((_, index) => found[index])
          .map(withoutWay),
      );
      const names = [...new Set(Object.keys(methods).map(withoutWay))];
      const rows = new Map();
      for (const name of names) {
        const [resource, verb] = /^(?:(.*)\.)?([^.]+)$/.exec(name).slice(1);
        const row = rows.get(resource ?? "") ?? { emulated: [], missing: [] };
        row[emulated.has(name) ? "emulated" : "missing"].push(`\`${verb}\``);
        rows.set(resource ?? "", row);
      }
      const lines = [...rows].map(
        ([resource, { emulated, missing }]) => `| ${resource} | ${emulated.join(" ")} | ${missing.join(" ")} |\n`,
      );
      return `\n### ${name}: ${emulated.size} of ${names.length}\n\n| resource | emulated | answered 501 |\n|---|---|---|\n${lines.join("")}`;
    }),
  );
  agent.destroy();
  return `${parts.join("")}\n`;
}

function withoutWay(name) {
  return name.replace(/ \(.*/, "");
}

/** Whether one of the paths that Google would take has a route: that refuses whoever brings no credential. */
async function isEmulated({ path, ...rest }) {
  const targets = ["x", "projects"].flatMap((first) =>
    ["x", "build/x/x"].map((several) => path.replace("{}", first).replaceAll("{}", "x").replaceAll("{**}", several)),
  );
  const found = await Promise.all([...new Set(targets)].map((target) => isAnswered({ ...rest, target })));
  return found.includes(true);
}

function isAnswered({ url, agent, host, method, target }) {
  return new Promise((resolve, reject) => {
    request(new URL(target, url), { method, agent, headers: { host, "content-length": 0 } }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode !== 501));
    })
      .on("error", reject)
      .end();
  });
}
