import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { RECORDING } from "./helpers/recording.ts";
import { testNeeding } from "./helpers/requirements.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");
const [cloud = [], emulator = []] = readme.split("<!-- walked by test/readme.test.ts -->").slice(1).map(readSession);

testNeeding(
  "gcloud",
  "the road in the cloud prints what the README says",
  () => {
    const home = temporaryFolder();
    const script = writeSession(home, cloud, ["unset PROJECT_ID CREDS SERVICE_ACCOUNT_EMAIL GOOGLE_CLOUD_PROJECT CLOUDSDK_CORE_PROJECT"]);
    const { status, stderr } = spawnSync("cloudrun-oauth", ["emulator", "exec", "--project", "my-project", "--", "bash", script], {
      cwd: home,
      env: environment(home),
      encoding: "utf8",
    });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(readOutputs(home, cloud)).toEqual(cloud.map(({ command, output }) => ({ command, output: normalise(output) })));
  },
  300_000,
);

testNeeding(
  "gcloud",
  "the road on this machine prints what the README says",
  () => {
    const home = temporaryFolder();
    const script = writeSession(home, emulator, ["trap 'cloudrun-oauth emulator stop >/dev/null 2>&1 || true' EXIT"]);
    const { status, stderr } = spawnSync("bash", [script], { cwd: home, env: environment(home), encoding: "utf8" });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(readOutputs(home, emulator)).toEqual(emulator.map(({ command, output }) => ({ command, output: normalise(output) })));
  },
  300_000,
);

interface Line {
  readonly command: string;
  /** What the README shows on stdout. */
  readonly output: string;
}

function readSession(text: string): Line[] {
  const session = text.slice(0, text.indexOf("<!-- to here -->"));
  return [...session.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block = ""]) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((entry) => ({ command: entry.slice(0, entry.indexOf("\n")), output: entry.slice(entry.indexOf("\n") + 1) })),
  );
}

/** All commands in one shell, each one's stdout in a file of its own. */
function writeSession(home: string, session: readonly Line[], before: readonly string[]): string {
  const lines = session.map(({ command }, index) => {
    // A fixed port may be somebody else's on this machine.
    const run = command.replace("emulator start --detach", "emulator start --detach --port 0");
    return `{ ${run}\n} > ${join(home, `${index}.out`)} || { echo "failed: ${index}" >&2; exit 1; }`;
  });
  const script = join(home, "session.sh");
  writeFileSync(script, [...before, ...lines, ""].join("\n"));
  return script;
}

function readOutputs(home: string, session: readonly Line[]): Line[] {
  return session.map(({ command }, index) => ({ command, output: normalise(readFileSync(join(home, `${index}.out`), "utf8")) }));
}

/** What differs from run to run and from folder to folder, and how columns are set apart. */
function normalise(output: string): string {
  return output
    .replace(/^(LOG|DIGEST|BUILD|FILE|KEY)\s+\S+$/gm, "$1")
    .replace(/-0000(\d)-[a-z0-9]{3}\b/g, "-0000$1-abc")
    .replace(/\/\S+\/(hello|data)\b(?!\/)/g, "/$1")
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
    .replace(/[ \t]+/g, " ")
    .trimEnd();
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A newcomer's: nothing set, and the command line installed. */
function environment(home: string): Record<string, string> {
  const programs = join(home, ".bin");
  mkdirSync(programs);
  symlinkSync(join(root, "bin/cloudrun-oauth.js"), join(programs, "cloudrun-oauth"));
  chmodSync(join(root, "bin/cloudrun-oauth.js"), 0o755);
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

/** How this machine's npm reaches its registry and its cache. */
function npmSettings(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] =>
      /^(npm_config_(?:registry|cache|userconfig)|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/i.test(entry[0]),
    ),
  );
}
