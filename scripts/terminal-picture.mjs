// Writes docs/img/quickstart.svg: commands and their output, as a terminal shows them, from a run on an emulator. Needs `script` of util-linux.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const COLUMNS = 126;
const COMMANDS = ["cloudrun-oauth invoke hello", "cloudrun-oauth grant hello", "cloudrun-oauth invoke hello"];
const PREPARATION = "cloudrun-oauth init hello >/dev/null 2>&1 && cd hello && cloudrun-oauth deploy --source . >/dev/null 2>&1 && clear";

// oxlint-disable-next-line no-control-regex -- it splits what a terminal receives
const CONTROL_SEQUENCE = /\u{1b}\[([?\d;]*)([A-Za-z])|\u{1b}[()][A-Z0-9]|[^]/gu;

const folder = join(root, "docs/img");
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "quickstart.svg"), drawScreen(readScreen(runCommands())));

/** Runs the commands on a terminal, and returns everything that is written to it. */
function runCommands() {
  const home = mkdtempSync(join(tmpdir(), "cloudrun-oauth-picture-"));
  try {
    mkdirSync(join(home, "bin"));
    symlinkSync(join(root, "bin/cloudrun-oauth.js"), join(home, "bin/cloudrun-oauth"));
    const lines = COMMANDS.map((command) => `printf '\\033[32m$\\033[39m %s\\n' '${command}'\n${command}`);
    writeFileSync(join(home, "session.sh"), [`stty cols ${COLUMNS} rows 60`, PREPARATION, ...lines, "true", ""].join("\n"));
    return execFileSync("script", ["-qfec", "cloudrun-oauth --via api emulator exec --project demo-app -- bash session.sh", "/dev/null"], {
      cwd: home,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...npmSettings(),
        PATH: `${join(home, "bin")}:${process.env.PATH}`,
        HOME: home,
        LANG: "C.UTF-8",
        TERM: "xterm-256color",
        SHELL: "/bin/bash",
        CLOUDRUN_OAUTH_VIA: "api",
        CLOUDRUN_OAUTH_ENGINE: "process",
      },
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function npmSettings() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => /^npm_config_(?:registry|cache|userconfig)$/i.test(name)));
}

/** Interprets control sequences, and returns the lines of the screen as lists of `{ text, style }`, one for each character. */
function readScreen(output) {
  let lines = [[]];
  let [row, column, style] = [0, 0, {}];
  // https://ecma-international.org/publications-and-standards/standards/ecma-48/
  for (const [token, parameters = "", command] of output.matchAll(CONTROL_SEQUENCE)) {
    const count = Number(parameters || 1);
    if (command === "m") style = applyStyle(style, parameters);
    else if (command === "A") row = Math.max(0, row - count);
    else if (command === "G") column = count - 1;
    else if (command === "K") lines[row] = (lines[row] ?? []).slice(0, parameters === "2" ? 0 : column);
    else if (command === "J" || command === "H")
      [lines, row, column] = command === "J" && parameters !== "2" ? [lines, row, column] : [[[]], 0, 0];
    else if (token === "\r") column = 0;
    else if (token === "\n") row += 1;
    else if (token >= " " && !token.startsWith("\u{1b}")) {
      if (column === COLUMNS) [row, column] = [row + 1, 0];
      const line = (lines[row] ??= []);
      while (line.length < column) line.push({ text: " ", style: {} });
      line[column] = { text: token, style };
      column += 1;
    }
    while (lines.length <= row) lines.push([]);
  }
  while (lines.at(-1).length === 0) lines.pop();
  return lines;
}

/** Select Graphic Rendition. */
function applyStyle(before, parameters) {
  let style = { ...before };
  for (const code of parameters.split(";").map(Number)) {
    if (code === 0) style = {};
    else if (code === 1) style.isBold = true;
    else if (code === 2) style.isDim = true;
    else if (code === 22) style.isBold = style.isDim = false;
    else if (code === 39) style.color = undefined;
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) style.color = code;
  }
  return style;
}

/** Draws lines as a terminal window. Each run of characters of one style has its own position, since fonts differ in width. */
function drawScreen(lines) {
  const [characterWidth, lineHeight, padding, titleHeight] = [8.4, 20, 16, 32];
  const width = Math.ceil(COLUMNS * characterWidth + 2 * padding);
  const height = lines.length * lineHeight + titleHeight + padding;
  const texts = lines.flatMap((line, row) =>
    runsOf(line).map(({ text, start, style }) => {
      const place = `x="${round(padding + start * characterWidth)}" y="${titleHeight + (row + 0.7) * lineHeight}"`;
      return `<text ${place} textLength="${round(text.length * characterWidth)}"${attributesOf(style)}>${escapeXml(text)}</text>`;
    }),
  );
  const buttons = ["#ff5f57", "#febc2e", "#28c840"].map(
    (color, index) => `<circle cx="${20 + index * 20}" cy="16" r="6" fill="${color}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>A request is rejected with 403, the caller is granted access, and the next request returns 200</title>
<rect width="${width}" height="${height}" rx="8" fill="#1e1e2e"/>
${buttons.join("\n")}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#e4e4ef" xml:space="preserve">
${texts.join("\n")}
</g>
</svg>
`;
}

function runsOf(line) {
  const runs = [];
  for (const [index, { text, style }] of line.entries()) {
    const last = runs.at(-1);
    if (last && attributesOf(last.style) === attributesOf(style)) last.text += text;
    else runs.push({ text, start: index, style });
  }
  return runs.map((run) => ({ ...run, text: run.text.trimEnd() })).filter(({ text }) => text !== "");
}

function attributesOf({ color, isBold, isDim }) {
  const names = { 1: "#f38ba8", 2: "#a6e3a1", 3: "#f9e2af", 4: "#89b4fa", 5: "#cba6f7", 6: "#94e2d5" };
  const fill = color === 90 ? "#8a8aa0" : names[color % 10];
  return `${fill ? ` fill="${fill}"` : ""}${isBold ? ' font-weight="bold"' : ""}${isDim ? ' opacity="0.65"' : ""}`;
}

function round(number) {
  return Math.round(number * 10) / 10;
}

function escapeXml(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
