import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { expect, onTestFinished } from "vitest";
import { openPty } from "./helpers/pty.ts";
import { RECORDING } from "./helpers/recording.ts";
import { testNeeding } from "./helpers/requirements.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const README = readFileSync(join(ROOT, "README.md"), "utf8");
const [cloud = [], emulator = []] = README.split("<!-- run by test/readme.test.ts -->").slice(1).map(readSession);
const TIMEOUT_MS = 300_000;
// oxlint-disable-next-line no-control-regex -- escape sequences are what it looks for
const CURSOR_MOVEMENT = /\x1b\[\d*[AGK]/g;

testNeeding(
  "gcloud",
  "the README's commands for Google Cloud print what it shows",
  () => {
    const home = createHome();
    const file = (index: number, kind: "out" | "err") => join(home, `${index}.${kind}`);
    const script = writeScript(home, [
      "unset PROJECT_ID CREDS SERVICE_ACCOUNT_EMAIL GOOGLE_CLOUD_PROJECT CLOUDSDK_CORE_PROJECT",
      ...cloud.map(({ command }, index) => {
        const [output, error] = [file(index, "out"), file(index, "err")];
        return `{ ${command}\n} > ${output} 2> ${error} || cat ${error} >> ${output}`;
      }),
    ]);
    const argv = ["emulator", "exec", "--project", "my-project", "--", "bash", script];
    const { status, stderr } = spawnSync("cloudrun-oauth", argv, { cwd: home, env: environment(home), encoding: "utf8" });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const outputs = cloud.map(({ command }, index) => ({ command, output: normalize(readFileSync(file(index, "out"), "utf8")) }));
    expect(outputs).toEqual(cloud.map(({ command, output }) => ({ command, output: normalize(output) })));
  },
  TIMEOUT_MS,
);

testNeeding(
  ["gcloud", "script"],
  "the README's commands for the emulator print what it shows on a terminal",
  async ([, script = ""]) => {
    const home = createHome();
    const { CI: _, ...env } = environment(home);
    const lines = ["stty cols 300", "trap 'cloudrun-oauth emulator stop >/dev/null 2>&1 || true' EXIT", ...emulator.map(toShellCommand)];
    const terminal = openPty(script, `bash ${writeScript(home, lines)}`, { cwd: home, env });
    expect(await terminal.ended).toBe(0);
    // Progress is drawn over.
    const shown = stripVTControlCharacters(terminal.bytes().replace(CURSOR_MOVEMENT, "\n"))
      .split(/[\r\n]+/)
      .map(normalize);
    const expected = emulator.flatMap(({ output }) => output.split("\n").map(normalize).filter(Boolean));
    const unseen = expected.filter((line) => {
      const index = shown.indexOf(line);
      if (index >= 0) shown.splice(0, index + 1);
      return index < 0;
    });
    expect({ unseen, shown: unseen.length > 0 ? shown : [] }).toEqual({ unseen: [], shown: [] });
  },
  TIMEOUT_MS,
);

interface Step {
  readonly command: string;
  /** What the README shows: stdout, and stderr if the command fails. */
  readonly output: string;
}

function readSession(text: string): Step[] {
  const session = text.slice(0, text.indexOf("<!-- end of run -->"));
  return [...session.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block = ""]) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((entry) => ({ command: entry.slice(0, entry.indexOf("\n")), output: entry.slice(entry.indexOf("\n") + 1) })),
  );
}

function toShellCommand({ command }: Step): string {
  // The default port can be in use.
  return command.replace("emulator start --detach", "emulator start --detach --port 0");
}

function writeScript(home: string, lines: readonly string[]): string {
  const script = join(home, "session.sh");
  writeFileSync(script, `${lines.join("\n")}\n`);
  return script;
}

/** Removes what differs between runs and directories, and the alignment of columns. */
function normalize(output: string): string {
  return output
    .replace(/^(LOG|DIGEST|BUILD|FILE|KEY)\s+\S+$/gm, "$1")
    .replace(/@sha256:[0-9a-f]{64}/g, "@sha256:DIGEST")
    .replace(/-0000(\d)-[a-z0-9]{3}\b/g, "-0000$1-abc")
    .replace(/\/\S+\/(hello|data)\b(?!\/)/g, "/$1")
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
    .replace(/[ \t]+/g, " ")
    .trimEnd();
}

function createHome(): string {
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The environment of a new user who has installed the command line. */
function environment(home: string): Record<string, string> {
  const programs = join(home, ".bin");
  mkdirSync(programs);
  symlinkSync(join(ROOT, "bin/cloudrun-oauth.js"), join(programs, "cloudrun-oauth"));
  chmodSync(join(ROOT, "bin/cloudrun-oauth.js"), 0o755);
  const { PATH = "", CLOUDRUN_OAUTH_PYTHON } = process.env;
  return {
    PATH: `${programs}:${PATH}`,
    HOME: home,
    LANG: "C.UTF-8",
    CI: "true",
    CLOUDRUN_OAUTH_RECORD: RECORDING,
    CLOUDRUN_OAUTH_ENGINE: "process",
    ...(CLOUDRUN_OAUTH_PYTHON && { CLOUDRUN_OAUTH_PYTHON }),
    ...npmSettings(),
  };
}

/** How npm reaches its registry and its cache. */
function npmSettings(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] =>
      /^(npm_config_(?:registry|cache|userconfig)|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/i.test(entry[0]),
    ),
  );
}
