import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import ignore from "ignore";

export interface DockerIgnore {
  /** `path` is relative to the context, with slashes. */
  ignores(path: string): boolean;
  /** Whether a file in an ignored folder can be an exception. */
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
 * Parses a `.dockerignore`. Docker's rules differ from git's: a pattern starts at the context's root, and the last pattern that matches a
 * path or one of its parent folders decides, so that an exception also counts inside an ignored folder. Therefore each pattern is matched
 * on its own. https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
export function parseDockerIgnore(text: string): DockerIgnore {
  const patterns = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .flatMap((line) => {
      if (line.startsWith("#")) return [];
      const isException = line.trim().startsWith("!");
      const pattern = posix.normalize(line.trim().replace(/^!\s*/, "")).replace(/^\/+|\/+$/g, "");
      if (pattern === "" || pattern === "." || line.trim() === "") return [];
      return [{ isException, matcher: ignore({ ignorecase: false }).add(`/${pattern}`) }];
    });
  return {
    ignores: (path) => patterns.findLast(({ matcher }) => matcher.ignores(path))?.isException === false,
    hasExceptions: patterns.some(({ isException }) => isException),
  };
}
