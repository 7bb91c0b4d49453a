import { constants } from "node:fs";
import { copyFile, lstat, readdir, readlink, realpath, rm, symlink } from "node:fs/promises";
import { basename, dirname, join, posix, relative, resolve } from "node:path";
import type { Copy } from "./parse-copy.ts";
import type { DockerIgnore } from "./docker-ignore.ts";
import { inRootfs, isWithin, makeFolder } from "./rootfs.ts";

interface CopyOptions {
  readonly copy: Copy;
  /** The build context, or the root of the stage that is copied from. */
  readonly root: string;
  readonly ignore: DockerIgnore;
  readonly rootfs: string;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Executes a COPY. Throws an Error in Docker's words if a source doesn't exist. */
export async function copyFiles(options: CopyOptions): Promise<void> {
  const { copy, rootfs } = options;
  const root = await realpath(options.root);
  const sources = (await Promise.all(copy.sources.map((source) => expandPattern(root, source, options.ignore)))).flat();
  const target = inRootfs(rootfs, copy.destination);
  const intoFolder = copy.intoFolder || sources.length > 1 || (await isDirectory(target));

  for (const source of sources) {
    // A link named as a source is followed; links inside a folder are copied as links.
    const from = await realpath(join(root, source));
    if (!isWithin(root, from)) throw new Error(`COPY failed: ${source} is a symbolic link that leads out of the build context.`);
    const copyOptions = { ...options, root };
    if ((await lstat(from)).isDirectory()) {
      await makeFolder(rootfs, copy.destination);
      await copyFolder(copyOptions, from, source === "." ? "" : source, copy.destination);
    } else {
      await copyEntry(copyOptions, from, intoFolder ? posix.join(copy.destination, basename(source)) : copy.destination);
    }
  }
}

async function copyFolder(options: CopyOptions, from: string, path: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    options.signal.throwIfAborted();
    const childPath = posix.join(path, entry.name);
    const child = join(from, entry.name);
    const childTo = posix.join(to, entry.name);
    const ignored = options.ignore.ignores(childPath);
    if (entry.isDirectory()) {
      if (!ignored) await makeFolder(options.rootfs, childTo);
      if (!ignored || options.ignore.hasExceptions) await copyFolder(options, child, childPath, childTo);
    } else if (!ignored) {
      await copyEntry(options, child, childTo);
    }
  }
}

/** Copies a file, or a link as a link, and replaces what exists. */
async function copyEntry({ root, rootfs, note }: CopyOptions, from: string, to: string): Promise<void> {
  const stats = await lstat(from);
  const target = join(await makeFolder(rootfs, dirname(to)), basename(to));
  if (stats.isSymbolicLink()) {
    const link = await readlink(from);
    // With a link out of the image, later instructions would write to the host's own files.
    if (link.startsWith("/") || !isWithin(root, resolve(dirname(from), link)))
      return note(`left out: ${relative(root, from)} is a link to ${link}`);
    await rm(target, { force: true });
    await symlink(link, target);
  } else if (stats.isFile()) {
    // Without this, a copy over a link would write to the link's target.
    await rm(target, { force: true });
    await copyFile(from, target, constants.COPYFILE_FICLONE);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return lstat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

/** The paths that a source of COPY matches, sorted; each lies below `root`. */
async function expandPattern(root: string, source: string, ignore: DockerIgnore): Promise<string[]> {
  let matches = [""];
  for (const segment of source === "." ? [] : source.split("/")) {
    const matcher = /[*?[]/.test(segment) ? toRegExp(segment) : undefined;
    const names = async (folder: string): Promise<string[]> =>
      matcher ? (await readdir(join(root, folder)).catch(() => [])).filter((name) => matcher.test(name)) : [segment];
    matches = (await Promise.all(matches.map(async (folder) => (await names(folder)).map((name) => posix.join(folder, name))))).flat();
  }
  const exists = await Promise.all(
    matches.map(
      (path) =>
        path === "" ||
        (!ignore.ignores(path) &&
          lstat(join(root, path)).then(
            () => true,
            () => false,
          )),
    ),
  );
  const paths = matches.filter((_, index) => exists[index]).map((path) => path || ".");
  if (paths.length === 0) throw new Error(`COPY failed: file not found in build context or excluded by .dockerignore: ${source}`);
  return paths.toSorted();
}

/** One segment of a pattern of Go's filepath.Match, which Docker uses. */
function toRegExp(segment: string): RegExp {
  const source = segment.replace(/\[\^?(?:\\.|[^\]\\])+\]|\\.|[^]/g, (token) => {
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    if (token.length > 1 && token.startsWith("[")) return token;
    return token.slice(-1).replace(/[\\^$.|+*?(){}[\]]/, "\\$&");
  });
  return new RegExp(`^${source}$`);
}
