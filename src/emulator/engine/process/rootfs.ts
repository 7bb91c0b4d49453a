import { existsSync } from "node:fs";
import { mkdir, realpath } from "node:fs/promises";
import { dirname, join, sep } from "node:path";

/** The host's path of a container's path: a container's files are in one folder, at their container paths. */
export function inRootfs(rootfs: string, path: string): string {
  return join(rootfs, join("/", path));
}

/** Creates a container path's folder on the host. Throws if a symbolic link leads out of the container's files. */
export async function makeFolder(rootfs: string, path: string): Promise<string> {
  const folder = inRootfs(rootfs, path);
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  if (!isWithin(await realpath(rootfs), await realpath(existing)))
    throw new Error(`${path} is behind a symbolic link that leads out of the image.`);
  await mkdir(folder, { recursive: true });
  return folder;
}

/** Whether `path` is `root` or lies below it; both are absolute and free of symbolic links. */
export function isWithin(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

// Unlike Cloud Run: a program that opens an absolute path in its code gets the host's file.
/** Replaces container paths in a program's arguments by the host's paths of the container's files. */
export function mapArgument(rootfs: string, argument: string): string {
  return argument.replace(/(?<=^|[\s"'=:,])\/[\w.@+-][\w.@+/-]*/g, (path) =>
    existsSync(inRootfs(rootfs, path)) ? inRootfs(rootfs, path) : path,
  );
}

const SEARCH_PATH_VARIABLES = ["PYTHONPATH", "NODE_PATH"];

// Unlike Cloud Run: programs that the image doesn't contain are taken from the host.
/** Replaces container folders in a program's environment by the host's paths. */
export function mapEnvironment(rootfs: string, env: Readonly<Record<string, string>>): Record<string, string> {
  const mapped: Record<string, string> = { LANG: "C.UTF-8", ...env, HOME: inRootfs(rootfs, env["HOME"] ?? "/root") };
  for (const name of SEARCH_PATH_VARIABLES) {
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
