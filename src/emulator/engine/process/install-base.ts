import { existsSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { satisfiesTag, type BaseImage } from "./base-image.ts";
import { findNpm, findPython, readVersion, type Machine } from "../host-tools.ts";
import { imagePython, installPrograms, installPython, type RunTool } from "./python.ts";
import { makeFolder } from "./rootfs.ts";

interface Installation {
  readonly rootfs: string;
  readonly machine: Machine;
  readonly note: (text: string) => void;
  readonly run: RunTool;
}

// Unlike Cloud Run: the version is this machine's, whatever the tag says, and nothing else of the base image is there.
/** Lays what a base image brings into a stage's empty root: this machine's own Node or Python, at the place that the official images have it at. */
export async function installBase({ reference, runtime, version }: BaseImage, { rootfs, machine, note, run }: Installation): Promise<void> {
  await makeFolder(rootfs, "/root");
  const program = runtime === "node" ? machine.node : findPython(machine);
  if (runtime === "node") await installNode(machine, await makeFolder(rootfs, "/usr/local/bin"));
  else await installPython(program, rootfs, run);

  const actual = await readVersion(program, machine.env);
  const differs = satisfiesTag(actual, version) ? "" : `, not ${version}: code that needs another version behaves differently`;
  note(`${reference} is carried out by ${runtime === "node" ? "Node" : "Python"} ${actual} of this machine${differs}`);
}

/** Puts the programs of the packages that were installed or copied into an image's root where they are looked for. */
export async function installBasePrograms(rootfs: string, run: RunTool): Promise<void> {
  if (existsSync(imagePython(rootfs))) await installPrograms(rootfs, run);
}

async function installNode(machine: Machine, folder: string): Promise<void> {
  await symlink(machine.node, join(folder, "node"));
  const npm = findNpm(machine);
  if (npm === undefined) return;
  for (const name of ["npm", "npx"]) await symlink(join(dirname(npm), name), join(folder, name));
}
