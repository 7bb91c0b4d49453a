import { existsSync } from "node:fs";
import { mkdir, realpath } from "node:fs/promises";
import { dirname, join, sep } from "node:path";

/** Where a container's path lies: its files are kept under one folder of this machine, at their container paths. */
export function inRootfs(rootfs: string, path: string): string {
  return join(rootfs, join("/", path));
}

/** The folder of a container path, made where it is missing. Throws where a symbolic link would lead out of the container's files. */
export async function makeFolder(rootfs: string, path: string): Promise<string> {
  const folder = inRootfs(rootfs, path);
  let present = folder;
  while (!existsSync(present)) present = dirname(present);
  if (!isWithin(await realpath(rootfs), await realpath(present)))
    throw new Error(`${path} lies behind a symbolic link that leads out of the image.`);
  await mkdir(folder, { recursive: true });
  return folder;
}

/** True where `path` is `root` or lies below it; both are absolute and free of symbolic links. */
export function isWithin(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

// Unlike Cloud Run: a program that asks for a path of its container by itself finds this machine's files there.
/** Puts container paths right that stand in a program's arguments: whatever lies in the container's files is named by its place on this machine. */
export function mapArgument(rootfs: string, argument: string): string {
  return argument.replace(/(?<=^|[\s"'=:,])\/[\w.@+-][\w.@+/-]*/g, (path) =>
    existsSync(inRootfs(rootfs, path)) ? inRootfs(rootfs, path) : path,
  );
}

const SEARCH_PATHS = ["PYTHONPATH", "NODE_PATH"];

// Unlike Cloud Run: a program that the image does not hold is found where this machine has it.
/** The environment of a program in a container, for the same program on this machine: what names folders of the container is put right. */
export function mapEnvironment(rootfs: string, env: Readonly<Record<string, string>>): Record<string, string> {
  const mapped: Record<string, string> = { LANG: "C.UTF-8", ...env, HOME: inRootfs(rootfs, env["HOME"] ?? "/root") };
  for (const name of SEARCH_PATHS) {
    if (env[name] !== undefined) mapped[name] = mapSearchPath(rootfs, env[name]).join(":");
  }
  mapped["PATH"] = [...mapSearchPath(rootfs, env["PATH"] ?? ""), "/usr/local/bin", "/usr/bin", "/bin"].join(":");
  return mapped;
}

function mapSearchPath(rootfs: string, value: string): string[] {
  return value
    .split(":")
    .filter((folder) => folder !== "")
    .map((folder) => (folder.startsWith("/") ? inRootfs(rootfs, folder) : folder));
}
