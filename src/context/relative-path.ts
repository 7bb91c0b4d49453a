import { isAbsolute, relative } from "node:path";

/** A path for people: relative to the working directory if it is below it. */
export function relativePath(cwd: string, path: string): string {
  const short = relative(cwd, path) || ".";
  return short.startsWith("..") || isAbsolute(short) ? path : short;
}
