import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const code = fileURLToPath(new URL("warm-gcloud/", import.meta.url));

/**
 * Starting gcloud costs a second and a half of processor time, of which most is for loading its modules, and the suite starts it hundreds of times. So
 * a Python that has loaded them forks for each run: gcloud is unchanged, and is told by its own setting CLOUDSDK_PYTHON which Python runs it. Where
 * that does not work, and where a test takes COLD_PATH, gcloud starts as it does for everybody.
 */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  const { PATH = "" } = process.env;
  process.env["COLD_PATH"] = PATH;
  const format = "--format=value[separator='\n'](basic.python_location,installation.sdk_root)";
  const [python = "", root = ""] = spawnSync("gcloud", ["info", format], { encoding: "utf8" }).stdout?.trim().split("\n") ?? [];
  if (process.platform !== "linux" || root === "") return undefined;

  const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-warm-gcloud-"));
  const socket = join(folder, "socket");
  // What modules read of the environment while they are loaded is nobody's.
  const env = { PATH, HOME: folder, CLOUDSDK_CONFIG: join(folder, "config") };
  const server = spawn(python, [join(code, "server.py"), socket, root], { env, stdio: ["ignore", "pipe", "ignore"] });
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.kill()) await once(server, "exit");
    rmSync(folder, { recursive: true, force: true });
  };
  const [isReady] = await Promise.race([once(server.stdout, "data"), once(server, "exit").then(() => [false])]);
  if (!isReady) {
    process.stderr.write("gcloud cannot be started beforehand: the tests with it take longer.\n");
    await stop();
    return undefined;
  }
  writeScript(join(folder, "python"), `exec '${python}' -I -S '${join(code, "python.py")}' '${socket}' '${python}' "$@"`);
  const gcloud = `CLOUDSDK_PYTHON='${join(folder, "python")}' CLOUDSDK_PYTHON_SITEPACKAGES=1 exec '${join(root, "bin", "gcloud")}' "$@"`;
  writeScript(join(folder, "bin", "gcloud"), gcloud);
  process.env["PATH"] = [join(folder, "bin"), PATH].join(delimiter);
  return stop;
}

function writeScript(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}
