import { execFile, execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { getuid } from "node:process";
import { rootCertificates } from "node:tls";
import { promisify } from "node:util";
import type { AtEnd } from "./emulator.ts";

const run = promisify(execFile);

type Environment = Readonly<Record<string, string | undefined>>;

/** Files by path in an image: a text, or a file or folder on the host. */
type Content = Readonly<Record<string, string | { readonly from: string }>>;

/**
 * Writes podman settings with which containers start on hosts where limits can't be raised and crun doesn't know the
 * layout of cgroups; returns their file.
 */
export function writeContainersConf(folder: string): string {
  const hasRunc = ["/usr/bin/runc", "/usr/sbin/runc"].some((path) => existsSync(path));
  const limits = '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n';
  const file = join(folder, "containers.conf");
  writeFileSync(file, limits + (hasRunc ? '[engine]\nruntime = "runc"\n' : ""));
  return file;
}

/** The environment of a podman with its own storage and no registry to pull from. */
function podmanEnvironment(folder: string): Environment {
  const storage = { driver: "overlay", graphroot: join(folder, "storage"), runroot: join(folder, "run") };
  const lines = Object.entries(storage).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  writeFileSync(join(folder, "storage.conf"), `[storage]\n${lines.join("")}`);
  writeFileSync(join(folder, "registries.conf"), "unqualified-search-registries = []\n");
  return {
    ...process.env,
    CONTAINERS_CONF: writeContainersConf(folder),
    CONTAINERS_STORAGE_CONF: join(folder, "storage.conf"),
    CONTAINERS_REGISTRIES_CONF: join(folder, "registries.conf"),
  };
}

/**
 * A machine with podman and the templates' base images, which are built from the host's own Node and from Debian's
 * Python.
 */
export async function openContainerMachine(podman: string, bases: readonly ("node" | "python")[], atEnd: AtEnd) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "cloudrun-oauth-podman-")));
  const env = podmanEnvironment(folder);
  const tell = async (...args: readonly string[]): Promise<string> => (await run(podman, args, { env })).stdout.trim();
  atEnd(async () => {
    await tell("rm", "--all", "--force", "--time", "0");
    await tell("rmi", "--all", "--force");
    // Files that containers wrote belong to users that only podman can act as.
    if (getuid?.() !== 0) await tell("unshare", "rm", "--recursive", "--force", join(folder, "storage"));
    rmSync(folder, { recursive: true, force: true });
  });
  for (const base of bases) {
    const rootfs = join(folder, base);
    layOut(rootfs, { ...ACCOUNTS, ...(base === "node" ? nodeFiles() : pythonFiles()) });
    // The host's files are symbolic links in the layout, which tar follows. Debian separates pip from its packages,
    // which are the base image's here.
    const script = `tar --create --dereference --exclude EXTERNALLY-MANAGED --directory "$1" . | "$2" import --change "ENV PATH=${PATH}" - "$3"`;
    await run("/bin/sh", ["-c", script, "sh", rootfs, podman, base === "node" ? "node:22-slim" : "python:3.12-slim"], { env });
  }
  return { env, tell };
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const ACCOUNTS: Content = {
  "etc/passwd": "root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/sh\n",
  "etc/group": "root:x:0:\nnode:x:1000:\nnogroup:x:65534:\n",
  "tmp/.keep": "",
  "root/.keep": "",
  "home/node/.keep": "",
};

function nodeFiles(): Content {
  const npmRoot = [dirname(dirname(process.execPath)), "/usr", "/usr/local"].map((prefix) => join(prefix, "lib/node_modules/npm"));
  const setting = (name: string): string => execFileSync("npm", ["config", "get", name], { encoding: "utf8" }).trim();
  const authorities = [setting("cafile"), process.env["NODE_EXTRA_CA_CERTS"]].flatMap((file) =>
    file && existsSync(file) ? [readFileSync(file, "utf8")] : [],
  );
  return {
    "usr/local/bin/node": { from: process.execPath },
    ...librariesOf([process.execPath, "/bin/sh"]),
    "bin/sh": { from: "/bin/sh" },
    "usr/local/lib/node_modules/npm": { from: npmRoot.find((path) => existsSync(path)) ?? "" },
    "usr/local/bin/npm": '#!/usr/local/bin/node\nrequire("/usr/local/lib/node_modules/npm/lib/cli.js")(process);\n',
    // The registry of the host's npm, and its certificate authorities.
    "usr/local/etc/npmrc": `registry=${setting("registry")}\ncafile=/etc/ssl/authorities.pem\nupdate-notifier=false\n`,
    "etc/ssl/authorities.pem": [...rootCertificates, ...authorities].join("\n"),
  };
}

const PYTHON = "/usr/bin/python3";

/** Debian's Python with all its packages; pip is the one that Debian ships for virtual environments. */
function pythonFiles(): Content {
  const version = execFileSync(PYTHON, ["-c", "import sys; print('python%d.%d' % sys.version_info[:2])"], { encoding: "utf8" }).trim();
  const listed = execFileSync("find", [`/usr/lib/${version}`, "/usr/lib/python3", "-name", "*.so"], { encoding: "utf8" });
  const pip = "import sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n";
  const wheels = execFileSync("find", ["/usr/share/python-wheels", "-name", "pip-*.whl"], { encoding: "utf8" }).trim().split("\n");
  return {
    [`usr/bin/${version}`]: { from: PYTHON },
    "usr/bin/python3": { from: PYTHON },
    ...librariesOf([PYTHON, "/bin/sh", ...listed.trim().split("\n")]),
    "bin/sh": { from: "/bin/sh" },
    [`usr/lib/${version}`]: { from: `/usr/lib/${version}` },
    "usr/lib/python3": { from: "/usr/lib/python3" },
    "usr/bin/gunicorn": { from: "/usr/bin/gunicorn" },
    // Debian's packages work together, whatever versions they require.
    "etc/pip.conf": "[global]\nno-index = true\n[install]\nno-deps = true\n",
    // Python imports packages from a wheel without unpacking it.
    "usr/local/lib/pip.whl": { from: wheels[0] ?? "" },
    "usr/local/bin/pip": `#!${PYTHON}\nimport sys\nsys.path.insert(0, "/usr/local/lib/pip.whl")\n${pip}`,
  };
}

function librariesOf(files: readonly string[]): Content {
  const listed = execFileSync("/bin/sh", ["-c", 'ldd "$@" 2>/dev/null || true', "sh", ...files], { encoding: "utf8" });
  const paths = new Set([...listed.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map((match) => match[1] as string));
  return Object.fromEntries([...paths].map((path) => [path.slice(1), { from: path }]));
}

function layOut(rootfs: string, content: Content): void {
  for (const [path, source] of Object.entries(content)) {
    const place = join(rootfs, path);
    mkdirSync(dirname(place), { recursive: true });
    if (typeof source !== "string") symlinkSync(realpathSync(source.from), place);
    else writeFileSync(place, source);
    if (path.includes("bin/") && typeof source === "string") chmodSync(place, 0o755);
  }
  chmodSync(join(rootfs, "tmp"), 0o1777);
}
