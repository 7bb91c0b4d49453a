// Checks that pages, comments, and messages are in plain American English: no expression of RULES, and short sentences in the docs.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What readers trip over, without regard to case, and what to write instead. */
const RULES = [
  [/\bmend(?:s|ed|ing)?\b/, "fix"],
  [/\b(?:whoever|whom|everybody|nobody|somebody)\b/, "anyone, no one, someone, the caller"],
  [/\bthere (?:is|are) no\b/, "… not found, no … exists"],
  [/\b(?:is|are) (?:there )?already there\b|\b(?:is|are) there already\b/, "already exists"],
  [/(?<!\bthere )\bis no (?!longer\b|more\b|way\b|limit\b|need\b)\w+/, "isn't a …"],
  [/\bsay --|\bunless (?:it is )?said\b|\bis said\b/, "pass --…, set …"],
  [/\bwhere (?:there|it is|it has|none|nothing|no|one is|he|they are)\b/, "if, when"],
  [/\bby gcloud\b|\bgo(?:es)? by\b|\bgone by\b|\bby (?:Google's )?APIs?\b/, "through gcloud, through the API"],
  [/\bof (?:Google|gcloud|Node|Cloud Run)'s(?=[.,:;)]|$| (?:is|are|that|which|or|and|in|for)\b)|\bof (?:one's own|ours)\b/, "Google's …"],
  [/\b(?:is|are|has|have) to be\b/, "must be, will be"],
  [/\blets? (?:in|call)\b|\bmay (?:not )?(?:call|invoke|do)\b|\bmay not\b/, "can invoke, can't"],
  [/\bno good\b|\bis good\b|\bgood for\b|\bgood (?:credential|token|key|revision)\b/, "valid, invalid, ready"],
  [/\b(?:he|him|his)\b/, "they, the caller"],
  [
    /\b(?:colour|behaviour|organisation|authoris|recognis|initialis|normalis|favour|honour|catalogue|licence|whilst|misspelt|spelt|grey)/,
    "American spelling",
  ],
  [/\be-mail/, "email"],
  [/\bso (?:many|often)\b(?! that\b)/, "N times, at most N"],
  [/\b(?:anew|hitherto|thereby|upon)\b/, "again, on"],
  [/\bgo(?:es)? on\b/, "continue"],
  [/\bat the most\b/, "at most"],
  [/\bstands? (?:behind|in|for itself|beside|before)\b/, "is, follows"],
  [/\b(?:taken?|takes) (?:it )?(?:back|away)\b/, "remove, revoke"],
  [/\blies? in wait\b|\bstruck\b/, "active, triggered"],
  [/\b(?:amiss|whichever way|by hand of|in one's name)\b/, "plain words"],
];

/** Messages of Google and field names, which stay as they are. */
const QUOTED = [
  /\(or (?:it|resource) may not exist\)/g,
  /must begin with letter, and may not end with hyphen/g,
  /Conditions cannot be set on a binding for \w+/g,
  /There is no volume named/g,
  /`struck`|"struck"/g,
];

const MAX_WORDS = 25;
const root = fileURLToPath(new URL("..", import.meta.url));
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" }).split("\n");
let findings = 0;

for (const path of files) {
  const isPage = path.endsWith(".md") && !path.startsWith("test/");
  const isSource = /^(?:src|templates)\/.*(?:\.(?:ts|js|mjs|py|html|css|ya?ml|sh)|Dockerfile)$/.test(path);
  if (!isPage && !isSource) continue;
  const text = read(path);
  if (text === undefined) continue;
  const hasShortSentences = /^(?:docs\/|[A-Z]+\.md$)/.test(path);
  for (const { line, phrase, isProse } of isPage ? readPage(text) : readSource(text)) {
    for (const [pattern, advice] of RULES) {
      const match = new RegExp(pattern, "i").exec(QUOTED.reduce((rest, quoted) => rest.replace(quoted, ""), phrase));
      if (match) report(path, line, match[0], advice);
    }
    for (const sentence of isProse && hasShortSentences ? phrase.split(/(?<=[.!?:;])\s+/) : []) {
      const words = sentence.split(/\s+/).filter((word) => /\w/.test(word));
      if (words.length > MAX_WORDS) report(path, line, `${words.slice(0, 6).join(" ")} …`, `${words.length} words, at most ${MAX_WORDS}`);
    }
  }
}
if (findings > 0) console.error(`${findings} findings.`);
process.exitCode = findings > 0 ? 1 : 0;

/** Reads a file; undefined for one that was deleted but not committed. */
function read(path) {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {}
}

/** The paragraphs, list items, and table rows of a page, without code blocks, inline code, and URLs. */
function* readPage(text) {
  const prose = text
    .replace(/^\s*(```|~~~)[^]*?^\s*\1/gm, blankLines)
    .replace(/<!--[^]*?-->/g, blankLines)
    .replace(/`[^`\n]*`/g, "`x`")
    .replace(/\]\([^)\n]*\)/g, "]");
  let paragraph = { line: 1, phrase: "", isProse: true };
  for (const [index, raw] of prose.split("\n").entries()) {
    const isRow = raw.trimStart().startsWith("|");
    if (/^\s*$|^\s*(?:[-*|#>]|\d+\.)\s?/.test(raw)) {
      if (paragraph.phrase) yield paragraph;
      paragraph = { line: index + 1, phrase: "", isProse: !isRow };
    }
    const content = isRow ? raw : raw.replace(/^\s*(?:[-*>#]+|\d+\.)\s+/, "");
    paragraph.phrase = `${paragraph.phrase} ${content}`.trim();
    // A heading needs no blank line after it.
    if (!raw.startsWith("#")) continue;
    yield paragraph;
    paragraph = { line: index + 2, phrase: "", isProse: true };
  }
  if (paragraph.phrase) yield paragraph;
}

function blankLines(match) {
  return match.replace(/[^\n]/g, "");
}

/** The comments of a source, and the literals that are phrases, line by line. */
function* readSource(text) {
  for (const [index, code] of text.split("\n").entries()) {
    const comment = /(?:^|\s)(?:\/\/|\*|\/\*\*|#)\s(.*)$/.exec(code)?.[1];
    const literals = [...code.matchAll(/(["'`])((?:\\.|(?!\1).)*)\1/g)].map(([, , literal]) => literal.replace(/\$\{[^}]*\}/g, "X"));
    const phrases = literals.filter((literal) => /\w \w/.test(literal));
    for (const phrase of comment ? [comment, ...phrases] : phrases) yield { line: index + 1, phrase: phrase.replace(/`[^`]*`/g, "`x`") };
  }
}

function report(path, line, text, advice) {
  findings += 1;
  console.error(`${path}:${line}: "${text}": ${advice}`);
}
