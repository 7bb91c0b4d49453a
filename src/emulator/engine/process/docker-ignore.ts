import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import ignore from "ignore";

/** What stays out of the image. */
export interface DockerIgnore {
  /** `path` is relative to the context, with slashes. */
  ignores(path: string): boolean;
  /** True where a file in an ignored folder may not be ignored. */
  readonly hasExceptions: boolean;
}

/** Reads the context's `.dockerignore`; without one, nothing is ignored. */
export async function readDockerIgnore(context: string): Promise<DockerIgnore> {
  const text = await readFile(join(context, ".dockerignore"), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return parseDockerIgnore(text);
}

/**
 * Docker's rules are not git's: a pattern starts at the context's root, and of all patterns that match a path or a folder around it the last decides, so that an
 * exception counts inside an ignored folder as well. So each pattern is matched on its own.
 * https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
export function parseDockerIgnore(text: string): DockerIgnore {
  const patterns = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .flatMap((line) => {
      if (line.startsWith("#")) return [];
      const excepted = line.trim().startsWith("!");
      const pattern = posix.normalize(line.trim().replace(/^!\s*/, "")).replace(/^\/+|\/+$/g, "");
      if (pattern === "" || pattern === "." || line.trim() === "") return [];
      return [{ excepted, matcher: ignore({ ignorecase: false }).add(`/${pattern}`) }];
    });
  return {
    ignores: (path) => patterns.findLast(({ matcher }) => matcher.ignores(path))?.excepted === false,
    hasExceptions: patterns.some(({ excepted }) => excepted),
  };
}
