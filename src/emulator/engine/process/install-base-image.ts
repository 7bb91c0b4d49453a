import { existsSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { matchesTag, type BaseImage } from "./base-image.ts";
import { findNpm, findPython, readVersion, type HostTools } from "../host-tools.ts";
import { imagePython, installPrograms, installPython, type RunTool } from "./python.ts";
import { makeFolder } from "./rootfs.ts";

interface InstallOptions {
  readonly rootfs: string;
  readonly tools: HostTools;
  readonly note: (text: string) => void;
  readonly run: RunTool;
}

// Unlike Cloud Run: Node and Python have the host's version, whatever the tag says, and nothing else of the base image exists.
/** Installs a base image in a stage's empty root: the host's own Node or Python, where the official images have it. */
export async function installBaseImage(
  { reference, runtime, version }: BaseImage,
  { rootfs, tools, note, run }: InstallOptions,
): Promise<void> {
  await makeFolder(rootfs, "/root");
  const program = runtime === "node" ? tools.node : findPython(tools);
  if (runtime === "node") await installNode(tools, await makeFolder(rootfs, "/usr/local/bin"));
  else await installPython(program, rootfs, run);

  const actual = await readVersion(program, tools.env);
  const local = `local ${runtime === "node" ? "Node.js" : "Python"} ${actual}`;
  note(matchesTag(actual, version) ? `using ${local}` : `Warning: using ${local} instead of ${reference}. Behavior might differ.`);
}

/** Installs the programs of Python packages that were installed or copied into an image's root. */
export async function installBasePrograms(rootfs: string, run: RunTool): Promise<void> {
  if (existsSync(imagePython(rootfs))) await installPrograms(rootfs, run);
}

async function installNode(tools: HostTools, folder: string): Promise<void> {
  await symlink(tools.node, join(folder, "node"));
  const npm = findNpm(tools);
  if (npm === undefined) return;
  for (const name of ["npm", "npx"]) await symlink(join(dirname(npm), name), join(folder, name));
}
