import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inRootfs } from "./rootfs.ts";

/** Runs a program and waits for its end; throws an error under the given name if it fails. */
export type RunTool = (argv: readonly string[], name: string) => Promise<void>;

// Images of Python have it at /usr/local. So do these images: a virtual environment there is Python's own way to separate packages.
const PREFIX = "/usr/local";
const PYTHON = "/usr/local/bin/python";

export function imagePython(rootfs: string): string {
  return inRootfs(rootfs, PYTHON);
}

/** Installs the host's Python into an image's files, as a virtual environment that sees the system's packages. */
export async function installPython(python: string, rootfs: string, run: RunTool): Promise<void> {
  // Unlike Cloud Run: an image also has the packages of the host's Python.
  // pip takes seconds to install, and is often present or not needed.
  const prefix = inRootfs(rootfs, PREFIX);
  await run([python, "-m", "venv", "--system-site-packages", "--without-pip", prefix], "python -m venv");
  await removeLocation(prefix);
}

/** Removes what records a virtual environment's location, so that an image is the same wherever it is built. */
async function removeLocation(prefix: string): Promise<void> {
  const settings = join(prefix, "pyvenv.cfg");
  const lines = (await readFile(settings, "utf8")).split("\n");
  await writeFile(settings, lines.filter((line) => !line.startsWith("command =")).join("\n"));
  for (const name of await readdir(join(prefix, "bin"))) if (/^activate/i.test(name)) await rm(join(prefix, "bin", name));
}

const INSTALL_PIP_SCRIPT = `
import importlib.util, runpy, sys
has = lambda name: importlib.util.find_spec(name) is not None
if not has("pip"):
    if not has("ensurepip"): sys.exit("The local Python has no pip. On Debian and Ubuntu, install python3-venv.")
    runpy.run_module("ensurepip", run_name="__main__")
`;

/** Ensures that an image's Python has pip: the system's package, or else the pip that ships with Python. */
export async function installPip(python: string, run: RunTool): Promise<void> {
  await run([python, "-c", INSTALL_PIP_SCRIPT], "python -m ensurepip");
}

// Writes the programs of packages again, so that those of the system run in the image's Python as well, and find it next to them after the
// image has moved. Their first lines are a shell script that Python reads as a string. Installation paths in the packages' own records are
// removed.
const WRITE_PROGRAMS_SCRIPT = `
import os, re, sys
from importlib.metadata import distributions
folder = os.path.dirname(sys.executable)
head = "#!/bin/sh\\n'''exec' \\"$(dirname \\"$0\\")/python\\" \\"$0\\" \\"$@\\"\\n' '''\\n"
written = set()
for distribution in distributions():
    for entry in distribution.entry_points:
        if entry.group != "console_scripts" or entry.name in written or "/" in entry.name:
            continue
        module, _, name = entry.value.split("[")[0].strip().partition(":")
        path = os.path.join(folder, entry.name)
        written.add(entry.name)
        if os.path.lexists(path):
            os.remove(path)
        with open(path, "w") as file:
            file.write(
                head + f"import sys\\nfrom {module.strip()} import {name.split('.')[0].strip()}\\n"
                f"if __name__ == '__main__':\\n    sys.exit({name.strip()}())\\n"
            )
        os.chmod(path, 0o755)
for name in os.listdir(folder):
    path = os.path.join(folder, name)
    if os.path.islink(path) or not os.path.isfile(path):
        continue
    with open(path, "rb") as file:
        start = file.read(4096)
    if start.startswith(b"#!" + sys.prefix.encode()):
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(head + text.partition("\\n")[2])
for distribution in distributions():
    at = str(getattr(distribution, "_path", ""))
    record = os.path.join(at, "RECORD")
    if not at.startswith(sys.prefix + os.sep) or not os.path.exists(record):
        continue
    if os.path.exists(os.path.join(at, "direct_url.json")):
        os.remove(os.path.join(at, "direct_url.json"))
    with open(record) as file:
        lines = [line for line in file if "/direct_url.json," not in line]
    with open(record, "w") as file:
        file.writelines(re.sub(r"^((?:\\.\\./)+bin/[^,]+),.*", r"\\1,,", line) for line in lines)
`;

/** Puts the programs of all packages that an image's Python sees on the image's PATH. */
export async function installPrograms(rootfs: string, run: RunTool): Promise<void> {
  await run([imagePython(rootfs), "-c", WRITE_PROGRAMS_SCRIPT], "install programs");
}
