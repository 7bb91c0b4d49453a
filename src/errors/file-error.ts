import { CliError } from "./cli-error.ts";
import type { ErrorCode } from "./exit-codes.ts";

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EPERM: "it is not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  ENOENT: "its folder does not exist",
  ENOTDIR: "a file is in the way",
  EEXIST: "something is in the way",
  EISDIR: "it is a folder",
  ENAMETOOLONG: "the name is too long",
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
  return new CliError(code, `${path} cannot be written: ${fileErrorReason(error)}.`, { ...(hint !== undefined && { hint }), cause: error });
}
