import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** What readers trip over, and what to write instead. Each pattern is matched without regard to case. */
const RULES = [
  [/\bmend(?:s|ed|ing)?\b/, "fix"],
  [/\b(?:whoever|whom|everybody|nobody|somebody)\b/, "anyone, no one, someone, the caller"],
  [/\bthere (?:is|are) no\b/, "… not found, no … exists"],
  [/\b(?:is|are) (?:there )?already there\b|\b(?:is|are) there already\b/, "already exists"],
  [/\bis no (?:valid )?(?!longer\b|way\b|limit\b|need\b)\w+/, "isn't a …"],
  [/\bsay --|\bunless (?:it is )?said\b|\bis said\b/, "pass --…, set …"],
  [/\bwhere (?:there|it is|it has|none|nothing|no|one is|he|they are)\b/, "if, when"],
  [/\bby gcloud\b|\bgo(?:es)? by\b|\bgone by\b|\bby (?:Google's )?APIs?\b/, "through gcloud, through the API"],
  [/\bof (?:Google|gcloud|Node|Cloud Run)'s\b|\bof (?:one's|its|your|their) own\b|\bof ours\b/, "Google's …, your own …"],
  [/\b(?:is|are|has|have) to be\b/, "must be, will be"],
  [/\blets? (?:in|call)\b|\bmay (?:not )?(?:call|invoke|be|do)\b|\bmay not\b/, "can invoke, can't"],
  [/\bno good\b|\bis good\b|\bgood for\b|\bgood (?:credential|token|key|revision)\b/, "valid, invalid, ready"],
  [/\b(?:he|him|his)\b/, "they, the caller"],
  [
    /\b(?:colour|behaviour|organisation|authoris|recognis|initialis|normalis|favour|honour|catalogue|licence|whilst|misspelt|spelt|grey)/,
    "American spelling",
  ],
  [/\be-mail/, "email"],
  [/\b(?:so many|so often)\b/, "N times, at most N"],
  [/\banew\b|\bhitherto\b|\bthereby\b|\bupon\b/, "again, on"],
  [/\bgoes on\b|\bgo on\b/, "continue"],
  [/\bat the most\b/, "at most"],
  [/\bstands? (?:behind|in|for itself|beside|before)\b/, "is, follows"],
  [/\b(?:taken?|takes) (?:it )?(?:back|away)\b/, "remove, revoke"],
  [/\blies? in wait\b|\bstruck\b/, "active, triggered"],
  [/\b(?:amiss|whichever way|by hand of|in one's name)\b/, "plain words"],
];

/** Words of others that stay as they are. */
const QUOTED = [
  /or it may not exist/i, // Google's own error messages
  /may not be set/i,
  /There are no/, // gcloud's
];

const MAX_WORDS = 25;

const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" }).split(
  "\n",
);
const pages = tracked.filter((path) => path.endsWith(".md") && !/^(?:test|node_modules)\//.test(path));
const sources = tracked.filter(
  (path) => /^src\/.*\.ts$/.test(path) || /^templates\/.*\.(?:js|mjs|ts|py|yaml|yml|sh)$|^templates\/.*Dockerfile$/.test(path),
);

const findings = [];
for (const path of pages) checkPage(path, readFileSync(`${root}/${path}`, "utf8"));
for (const path of sources) checkSource(path, readFileSync(`${root}/${path}`, "utf8"));

for (const { path, line, text, advice } of findings) process.stdout.write(`${path}:${line}: "${text}": ${advice}\n`);
process.stdout.write(
  `${findings.length} ${findings.length === 1 ? "finding" : "findings"} in ${pages.length} pages and ${sources.length} sources\n`,
);
process.exitCode = findings.length > 0 ? 1 : 0;

/** Prose of a page: without code, and with a limit for sentences. */
function checkPage(path, text) {
  let isCode = false;
  let paragraph = [];
  let start = 1;
  const end = () => {
    if (path.startsWith("docs/") || path === "README.md") checkLength(path, start, paragraph.join(" "));
    paragraph = [];
  };
  for (const [index, raw] of text.split("\n").entries()) {
    if (/^\s*(?:```|~~~)/.test(raw)) isCode = !isCode;
    const line = isCode ? "" : raw.replace(/`[^`]*`/g, "`x`").replace(/\]\([^)]*\)/g, "]");
    if (/^\s*$|^\s*(?:[-*|#>]|\d+\.)/.test(line)) end();
    if (paragraph.length === 0) start = index + 1;
    paragraph.push(line.replace(/^\s*(?:[-*>#]+|\d+\.)\s*/, ""));
    if (/^\s*\|/.test(line)) end();
    check(path, index + 1, line);
  }
  end();
}

function checkLength(path, line, text) {
  if (text.trim().startsWith("|")) return;
  for (const sentence of text.split(/(?<=[.!?:;])\s+/)) {
    const words = sentence.split(/\s+/).filter((word) => /\w/.test(word));
    if (words.length > MAX_WORDS)
      findings.push({
        path,
        line,
        text: `${words.slice(0, 6).join(" ")} …`,
        advice: `${words.length} words in a sentence; at most ${MAX_WORDS}`,
      });
  }
}

/** Comments, and what is in quotes and is a phrase. */
function checkSource(path, text) {
  for (const [index, line] of text.split("\n").entries()) {
    const comment = /(?:^|\s)(?:\/\/|\*|\/\*\*|#)\s(.*)$/.exec(line)?.[1];
    if (comment) check(path, index + 1, comment);
    for (const [, , phrase] of line.matchAll(/(["'`])((?:\\.|(?!\1).)*)\1/g)) if (/\w \w/.test(phrase)) check(path, index + 1, phrase);
  }
}

function check(path, line, text) {
  if (QUOTED.some((words) => words.test(text))) return;
  for (const [pattern, advice] of RULES) {
    const found = new RegExp(pattern, "i").exec(text);
    if (found) findings.push({ path, line, text: found[0], advice });
  }
}
