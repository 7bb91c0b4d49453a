// Writes docs/commands/ from the command tree: a page per command, and an index with the global flags; and the README's list of commands.
// `--check` only compares.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));
const NOTE = "<!-- Written by `npm run docs` from src/commands/. -->\n";
const SEE_ALSO = "Every command also takes the [global flags](README.md#global-flags).\n";

const { COMMAND_GROUPS, GLOBAL_FLAGS } = await loadCommandTree();
const COMMANDS = Object.values(COMMAND_GROUPS).flat();
const pages = new Map([
  ["README.md", formatReadme(readFileSync(join(root, "README.md"), "utf8"))],
  ["docs/commands/README.md", formatIndex()],
  ...COMMANDS.map((command) => [`docs/commands/${command.name}.md`, formatPage(command)]),
]);
mkdirSync(join(root, "docs/commands"), { recursive: true });
const existing = ["README.md", ...readdirSync(join(root, "docs/commands")).map((name) => `docs/commands/${name}`)];
const stale = [
  ...[...pages.keys()].filter((path) => !existing.includes(path) || readFileSync(join(root, path), "utf8") !== pages.get(path)),
  ...existing.filter((path) => !pages.has(path)),
];
if (stale.length > 0 && process.argv.includes("--check")) {
  console.error(`Not up to date with the command tree: ${stale.join(", ")}. Run npm run docs.`);
  process.exitCode = 1;
} else
  for (const path of stale) {
    if (pages.has(path)) writeFileSync(join(root, path), pages.get(path));
    else rmSync(join(root, path));
  }

/** Bundles the command tree from its current source, so that dist/ doesn't have to be up to date. */
async function loadCommandTree() {
  const temporary = mkdtempSync(join(tmpdir(), "cloudrun-oauth-commands-"));
  try {
    const entry = join(temporary, "entry.js");
    const sources = ["src/cli/program.ts", "src/context/global-flags.ts"].map((path) => JSON.stringify(join(root, path)));
    writeFileSync(entry, `export { COMMAND_GROUPS } from ${sources[0]};\nexport { GLOBAL_FLAGS } from ${sources[1]};\n`);
    await build({
      input: entry,
      platform: "node",
      checks: { ineffectiveDynamicImport: false },
      plugins: [{ name: "without-handlers", resolveDynamicImport: (id) => ({ id, external: true }) }],
      output: { dir: join(temporary, "out"), format: "es", entryFileNames: "tree.mjs" },
    });
    return await import(pathToFileURL(join(temporary, "out/tree.mjs")).href);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** The README with a table that has a row for each group of commands. */
function formatReadme(text) {
  const [begin, end] = ["<!-- commands: npm run docs -->\n", "<!-- end of commands -->"];
  const rows = Object.entries(COMMAND_GROUPS).map(([group, commands]) => {
    const links = commands.map(({ name }) => `[\`${name}\`](docs/commands/${name}.md)`);
    return `| ${group} | ${links.join(" ")} |\n`;
  });
  const table = `| Task | Commands |\n|---|---|\n${rows.join("")}`;
  return text.slice(0, text.indexOf(begin) + begin.length) + table + text.slice(text.indexOf(end));
}

function formatIndex() {
  const sections = Object.entries(COMMAND_GROUPS).map(([group, commands]) => `## ${group}\n\n${formatCommands(commands)}`);
  return [`# Command reference\n\n${NOTE}`, ...sections, `## Global flags\n\n${formatFlags(GLOBAL_FLAGS)}`].join("\n");
}

function formatCommands(commands) {
  const rows = commands.map(({ name, summary }) => `| [\`${name}\`](${name}.md) | ${escapeCell(summary)} |\n`);
  return `| Command | Description |\n|---|---|\n${rows.join("")}`;
}

function formatPage(command) {
  return `# ${command.name}\n\n${NOTE}\n${formatCommand(command, [], "##")}\n${SEE_ALSO}`;
}

/** Description, usage, arguments, flags, and examples of a command, then of its subcommands. */
function formatCommand(command, parents, heading) {
  const { name, description, commands = [], load, examples = [], flags = [] } = command;
  const path = [...parents, name];
  const parts = [`${escapeProse(description)}\n`];
  if (load) parts.push(`\`\`\`text\n${formatUsage(command, path)}\n\`\`\`\n`);
  if (command.arguments?.length) {
    const rows = command.arguments.map(({ spelling, description: text, choices }) => formatRow(spelling, text, { choices }));
    parts.push(`| Argument | Description |\n|---|---|\n${rows.join("")}`);
  }
  if (flags.length > 0) parts.push(formatFlags(flags));
  if (examples.length > 0) parts.push(`\`\`\`sh\n${formatExamples(examples)}\`\`\`\n`);
  if (commands.length > 0 && !load) {
    const rows = commands.map((child) => `| [\`${child.name}\`](#${[...path, child.name].join("-")}) | ${escapeCell(child.summary)} |\n`);
    parts.push(`| Command | Description |\n|---|---|\n${rows.join("")}`);
  }
  for (const child of commands) parts.push(`${heading} ${[...path, child.name].join(" ")}\n\n${formatCommand(child, path, `${heading}#`)}`);
  return parts.join("\n");
}

function formatUsage({ usage, flags = [], arguments: list = [] }, path) {
  const rest = usage ?? [flags.length > 0 ? "[flags]" : "", ...list.map(({ spelling }) => spelling)].join(" ");
  return `cloudrun-oauth ${path.join(" ")} ${rest.replace("[options]", "[flags]")}`.replace(/ +/g, " ").trim();
}

/** A table of flags; a group of flags is a row of its own. */
function formatFlags(flags) {
  let current;
  const rows = flags.map((flag) => {
    const title = flag.group && flag.group !== current ? `| **${flag.group}** | |\n` : "";
    current = flag.group ?? current;
    return title + formatRow(flag.spelling, flag.description, flag);
  });
  return `| Flag | Description |\n|---|---|\n${rows.join("")}`;
}

function formatRow(spelling, description, { choices, default: value, isRequired }) {
  const notes = [
    choices && `One of: ${choices.map((choice) => `\`${choice}\``).join(", ")}.`,
    isRequired && "Required.",
    value !== undefined && !/\(default/.test(description) && `Default: \`${value}\`.`,
  ].filter(Boolean);
  const text = escapeCell(description);
  return `| \`${spelling.replaceAll("|", "\\|")}\` | ${notes.length > 0 ? `${text}. ${notes.join(" ")}` : text} |\n`;
}

function formatExamples(examples) {
  return examples.map(([line, meaning]) => `${meaning ? `# ${meaning[0].toUpperCase()}${meaning.slice(1)}\n` : ""}${line}\n`).join("");
}

/** Converts text of the help to Markdown: flags and JSON are code, and placeholders in angle brackets aren't HTML. */
function escapeProse(text) {
  return text
    .split(/(`[^`]*`)/)
    .map((part, index) =>
      index % 2 === 1
        ? part
        : part
            .replace(/</g, "&lt;")
            .replace(/\*/g, "\\*")
            .replace(/(?<![\w-])--[a-z][\w-]*|\{"[^}]*\}/g, "`$&`"),
    )
    .join("");
}

function escapeCell(text) {
  return escapeProse(text).replaceAll("|", "\\|").replaceAll("\n", " ");
}
