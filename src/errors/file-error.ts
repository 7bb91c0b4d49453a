import { CliError } from "./cli-error.ts";
import type { ErrorCode } from "./exit-codes.ts";

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EROFS: "read-only file system",
  ENOSPC: "the disk is full",
  EDQUOT: "disk quota exceeded",
  ENOENT: "the directory doesn't exist",
  ENOTDIR: "a parent is not a directory",
  EEXIST: "it already exists",
  EISDIR: "it is a directory",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "its symbolic links form a loop",
};

/** Why the file system refused, to the end of a sentence. */
export function fileErrorReason(error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}

/** The error for a file or folder that can't be written. */
export function unwritable(
  path: string,
  error: unknown,
  { hint, code = "USAGE" }: { readonly hint?: string; readonly code?: ErrorCode } = {},
): CliError {
  return new CliError(code, `Can't write ${path}: ${fileErrorReason(error)}.`, { hint, cause: error });
}
