// Writes the list of differences from Cloud Run into the emulator's README, from the comments in its code. `--check` only compares.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../src/emulator/", import.meta.url));
const readme = join(folder, "README.md");
const [BEGIN, END] = ["<!-- infidelities: npm run docs -->\n", "<!-- end of infidelities -->"];

const infidelities = readdirSync(folder, { recursive: true })
  .filter((file) => file.endsWith(".ts"))
  .toSorted()
  .flatMap((file) => {
    const source = readFileSync(join(folder, file), "utf8");
    return [...source.matchAll(/\/\/ Unlike Cloud Run: (.*)/g)].map(([, sentence]) => `- \`${file}\`: ${sentence}\n`);
  });

const text = readFileSync(readme, "utf8");
const next = text.slice(0, text.indexOf(BEGIN) + BEGIN.length) + `\n${infidelities.join("")}\n` + text.slice(text.indexOf(END));
if (next !== text && process.argv.includes("--check")) {
  console.error("src/emulator/README.md does not list the infidelities that the code has: npm run docs");
  process.exitCode = 1;
} else writeFileSync(readme, next);
