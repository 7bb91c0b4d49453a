import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join, relative, sep } from "node:path";
import { attempt } from "../settings/private-files.ts";

const NAME = "cloudrun-oauth";

interface Start {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Node and the script that it runs. */
  readonly self: readonly string[];
}

/**
 * How a person starts this tool from a folder: `cloudrun-oauth` if that is on PATH, `npx cloudrun-oauth` if npx finds this copy from there,
 * else Node with the path of the script.
 */
export function programName({ env, self }: Start, cwd: string): readonly string[] {
  const script = self[1] === undefined ? undefined : realPath(self[1]);
  if (script === undefined) return [NAME];
  const paths = (env.PATH ?? env.Path ?? "").split(delimiter).filter((path) => path && !isOfNpm(path));
  if (paths.some((path) => realPath(join(path, NAME)) === script)) return [NAME];
  if (isOfNpm(script) && script.includes(`${sep}_npx${sep}`)) return ["npx", NAME];
  if (findByNpx(cwd) === script) return ["npx", NAME];
  const path = relative(cwd, script);
  return ["node", path.split(sep).filter((part) => part === "..").length > 3 ? script : path];
}

/** npm and npx put these before PATH for as long as they run. */
function isOfNpm(path: string): boolean {
  return path.includes(`${sep}_npx${sep}`) || path.endsWith(join("node_modules", ".bin"));
}

/** The script that npx runs from a folder: of the nearest package itself, or of one that is installed there or above. */
function findByNpx(cwd: string): string | undefined {
  const folders = ancestors(cwd);
  const root = folders.find((folder) => existsSync(join(folder, "package.json")));
  const own = root !== undefined && existsSync(join(root, "src", "main.ts")) ? realPath(join(root, "bin", `${NAME}.js`)) : undefined;
  return own ?? folders.map((folder) => realPath(join(folder, "node_modules", ".bin", NAME))).find((script) => script !== undefined);
}

/** The folder and all folders above it. */
function ancestors(folder: string): string[] {
  return folder === dirname(folder) ? [folder] : [folder, ...ancestors(dirname(folder))];
}

function realPath(path: string): string | undefined {
  return attempt(() => realpathSync(path));
}
