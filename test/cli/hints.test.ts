import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mergeEnvironment } from "../../src/context/merge-environment.ts";
import { folder, runCli } from "../helpers/command-line.ts";
import { commandOf, createCommandTree, listCommands } from "../helpers/command-tree.ts";
import { HELLO, startEmulator, tinyService } from "../helpers/emulator.ts";

const SOURCES = fileURLToPath(new URL("../../src", import.meta.url));

let emulator: Awaited<ReturnType<typeof startEmulator>>;
beforeAll(async () => {
  emulator = await startEmulator(afterAll);
  await emulator.deploy("hello", tinyService(HELLO));
});

/** Command lines that fail, with the command that the first hint runs. */
const FAILURES: readonly (readonly [line: string, next: string])[] = [
  ["deplyo", "--help"],
  ["deploy --imag x", "deploy --help"],
  ["help emulator strat", "help --all"],
  ["describe", "config set service SERVICE"],
  ["describe helo", "list"],
  ["-p cloudrun-local describe helo", "list -p cloudrun-local"],
  ["-s helo invoke /", "list"],
  ["grant helo --via api", "list --via api"],
  ["load helo", "list"],
  ["logs helo", "list"],
  ["-r europe-west1 deploy", "build --image IMAGE -r europe-west1"],
  ["deploy hello --region=europe-west1", "build --image IMAGE --region europe-west1"],
  ["deploy hello --image us-central1-docker.pkg.dev/a/b/c", "build --image IMAGE"],
  ["revoke hello --member user:a@b.c", "members hello --all"],
  ["accounts delete no-such-account --yes", "accounts list"],
  ["keys list --account no-such-account", "accounts list"],
  ["emulator fault list --data-dir empty", "emulator start --detach --data-dir empty"],
];

test("every hint is a command that parses, and acts on what the failed command acted on", async () => {
  const around = { CLOUDRUN_OAUTH_VIA: "api", CLOUDRUN_OAUTH_CACHE_DIR: folder() };
  const env = mergeEnvironment(around, emulator.status().environment) as Readonly<Record<string, string>>;
  for (const [line, expected] of FAILURES) {
    const cwd = folder(line.includes("deploy") ? { "cloudrun-oauth.json": '{"service": "hello"}' } : {});
    const { exitCode, stderr } = await runCli(["--json", ...line.split(" ")], { env, cwd });
    expect({ line, exitCode }).not.toEqual({ line, exitCode: 0 });
    const { error } = JSON.parse(stderr.trimEnd().split("\n").at(-1)!) as { error: { next: { command: string[] }[] } };
    const commands = error.next.map(({ command }) => command).filter(([program]) => program === "cloudrun-oauth");
    expect({ line, next: commands[0]?.slice(1).join(" ") }).toEqual({
      line,
      next: expect.stringMatching(new RegExp(`^${expected.replace("IMAGE", String.raw`\S+`)}$`)),
    });
    for (const [, ...argv] of commands) if (!argv.includes("--help")) await commandOf(argv);
  }
}, 60_000);

test("every hint in the sources names a command and flags that exist", async () => {
  const known = [...listCommands(), "help"];
  const root = createCommandTree();
  const problems: string[] = [];
  let count = 0;
  for (const name of (readdirSync(SOURCES, { recursive: true }) as string[]).filter((path) => path.endsWith(".ts"))) {
    for (const {
      words: [noun = "", verb = "", ...rest],
      isOpen,
    } of readHints(readFileSync(join(SOURCES, name), "utf8"))) {
      const subcommands = root.commands.find((each) => each.name() === noun && each.registeredArguments.length === 0)?.commands ?? [];
      // A subcommand that only the running program knows: `ci`, provider.
      const words = [noun, (verb === "1" && subcommands[0]?.name()) || verb, ...rest].filter(Boolean);
      const line = `${name}: ${words.join(" ")}`;
      count += 1;
      const path = known.findLast((command) => `${words.join(" ")} `.startsWith(`${command} `))?.split(" ");
      const command = path?.reduce((parent, child) => parent?.commands.find((each) => each.name() === child) ?? parent, root);
      const flags = words.slice(0, words.includes("--") ? words.indexOf("--") : undefined).filter((word) => word.startsWith("-"));
      const options = [...(command?.options ?? []), ...root.options];
      if (!path) problems.push(`${line}: unknown command`);
      for (const flag of flags)
        if (flag !== "--help" && !options.some(({ long, short }) => flag === long || flag === short)) problems.push(`${line}: ${flag}`);
      if (path && !isOpen && !flags.includes("--help"))
        await commandOf(words).catch((error: Error) => problems.push(`${line}: ${error.message}`));
    }
  }
  expect(problems).toEqual([]);
  expect(count).toBeGreaterThan(20);
});

/** The commands of the calls of `nextStep` whose first word is a literal; "1" stands for what only the running program knows. */
function readHints(source: string): { readonly words: readonly string[]; readonly isOpen: boolean }[] {
  return [...source.matchAll(/\bnextStep\(/g)].flatMap(({ index }) => {
    const [, ...words] = splitArguments(source.slice(index + "nextStep(".length));
    const end = words.findIndex((word) => word.startsWith("..."));
    const literals = (end < 0 ? words : words.slice(0, end)).map((word) => /^"([^"]*)"$/.exec(word)?.[1] ?? "1");
    return literals.length > 0 && literals[0] !== "1" ? [{ words: literals, isOpen: end >= 0 }] : [];
  });
}

/** The source text of each argument, up to the parenthesis that closes the call. */
function splitArguments(text: string): string[] {
  const found = [""];
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|[^]/g)) {
    if (/^[([{]$/.test(token)) depth += 1;
    if (/^[)\]}]$/.test(token) && depth-- === 0) break;
    if (token === "," && depth === 0) found.push("");
    else found[found.length - 1] += token;
  }
  return found.map((argument) => argument.trim()).filter(Boolean);
}
