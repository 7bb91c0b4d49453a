import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "vitest";
import { writeContainersConf } from "./container-machine.ts";

/** What some tests need of the machine that npm does not install. */
export type Need =
  | "bash"
  | "cloud-run-proxy"
  | "curl"
  | "fish"
  | "gcloud"
  | "git"
  | "go"
  | "google-auth"
  | "podman"
  | "pytest"
  | "python"
  | "script"
  | "zsh";

export type Requirement = { readonly available: true; readonly path: string } | { readonly available: false; readonly reason: string };

const PYTHON_MODULES = ["flask", "gunicorn", "fastapi", "uvicorn", "requests", "jwt", "cryptography"];

const FINDERS: Readonly<Record<Need, () => Requirement>> = {
  bash: () => findProgram("bash"),
  // What `gcloud run services proxy` runs: a component of gcloud's own, which Debian does not have.
  "cloud-run-proxy": () => findProgram("cloud-run-proxy"),
  curl: () => findProgram("curl"),
  fish: () => findProgram("fish"),
  gcloud: () => findProgram("gcloud"),
  git: () => findProgram("git"),
  go: findGo,
  "google-auth": () => findPython(["google.auth", "requests"]),
  podman: findPodman,
  pytest: () => findPython(["google.auth", "pytest", "requests"]),
  python: () => findPython(PYTHON_MODULES),
  // Puts a program on a terminal; that of BSD takes other flags.
  script: () => (process.platform === "linux" ? findProgram("script") : { available: false, reason: "script is not that of util-linux" }),
  zsh: () => findProgram("zsh"),
};

const found = new Map<Need, Requirement>();

const required = requiredNeeds();

/** Whether the machine has what a test needs, and where: `path` is the program to run. Looks once. */
export function requires(need: Need): Requirement {
  const requirement = found.get(need) ?? FINDERS[need]();
  found.set(need, requirement);
  return requirement;
}

/**
 * A test that needs something of the machine; it is given the paths of the programs, in the order
 * of the needs. Where one is missing it is skipped under a name that says so, or fails if the
 * environment variable REQUIRE (`gcloud,python`) names that need.
 */
export function testNeeding(
  needs: Need | readonly Need[],
  name: string,
  run: (paths: readonly string[], context: TestContext) => Promise<void> | void,
  timeoutMs?: number,
): void {
  const requirements = [needs].flat().map((need) => ({ need, ...requires(need) }));
  const missing = requirements.filter((requirement) => !requirement.available);
  if (missing.length === 0) {
    const paths = requirements.flatMap((requirement) => (requirement.available ? [requirement.path] : []));
    test(name, (context) => run(paths, context), timeoutMs);
    return;
  }
  const reasons = missing.map(({ reason }) => reason).join("; ");
  if (!missing.some(({ need }) => required.has(need))) {
    test.skip(`${name} (skipped: ${reasons})`);
    return;
  }
  test(name, () => {
    throw new Error(`REQUIRE=${process.env.REQUIRE} forbids to skip this test, but ${reasons}.`);
  });
}

function requiredNeeds(): ReadonlySet<string> {
  const names = (process.env.REQUIRE ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  const unknown = names.filter((name) => !(name in FINDERS));
  if (unknown.length > 0) throw new Error(`REQUIRE names ${unknown.join(", ")}; it knows ${Object.keys(FINDERS).join(", ")}.`);
  return new Set(names);
}

function findProgram(name: string): Requirement {
  const path = onPath(name);
  return path ? { available: true, path } : { available: false, reason: `${name} is not on PATH` };
}

/** Where Debian puts the sources of its Go packages. */
export const GO_PATH = "/usr/share/gocode";

function findGo(): Requirement {
  const path = onPath("go");
  if (!path) return { available: false, reason: "go is not on PATH" };
  const packages = ["golang.org/x/oauth2/google", "google.golang.org/api/idtoken"];
  return packages.every((name) => existsSync(join(GO_PATH, "src", name)))
    ? { available: true, path }
    : { available: false, reason: `${GO_PATH} does not have all of ${packages.join(", ")}` };
}

/** A podman that starts containers: what is not there in an empty root is found missing by the runtime, and by that alone. */
function findPodman(): Requirement {
  const path = onPath("podman");
  if (!path) return { available: false, reason: "podman is not on PATH" };
  const folder = mkdtempSync(join(tmpdir(), "cloudrun-oauth-podman-"));
  const args = ["run", "--rm", "--network", "host", "--memory", "128m", "--rootfs", mkdtempSync(join(folder, "rootfs-")), "/nothing"];
  const { status, stderr } = spawnSync(path, args, {
    env: { ...process.env, CONTAINERS_CONF: writeContainersConf(folder) },
    encoding: "utf8",
  });
  rmSync(folder, { recursive: true, force: true });
  return status === 127 ? { available: true, path } : { available: false, reason: `podman starts no container: ${stderr.trim()}` };
}

function findPython(modules: readonly string[]): Requirement {
  const named = process.env.CLOUDRUN_OAUTH_PYTHON;
  const candidates = named ? [named] : ["/usr/bin/python3", "python3"];
  for (const path of candidates) {
    const { status } = spawnSync(path, ["-c", `import ${modules.join(", ")}`], { stdio: "ignore" });
    if (status === 0) return { available: true, path };
  }
  return { available: false, reason: `${candidates.join(" and ")} cannot import all of ${modules.join(", ")}` };
}

function onPath(program: string): string | undefined {
  const paths = (process.env.PATH ?? "")
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, program));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false;
    }
  });
}
