import { readFile } from "node:fs/promises";
import { CliError } from "../../errors/cli-error.ts";
import type { FieldReader } from "../field-reader.ts";
import { readTokenFormat } from "./format.ts";

/** A token that another process writes into a file and renews. */
export function readFileSource(source: FieldReader, subject: string) {
  const path = source.public("file", /^[^\r\n]+$/);
  const take = readTokenFormat(source, subject);
  const from = `the file ${path}`;
  return {
    from,
    async supply(): Promise<string> {
      const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        throw new CliError(
          error.code === "ENOENT" ? "CREDENTIALS_MISSING" : "CREDENTIALS_INVALID",
          error.code === "ENOENT" ? `Token file not found: ${path}` : `Can't read the token file ${path}: ${error.code}.`,
          { hint: "Whatever issues the token must write this file first. Its path comes from credential_source.file." },
        );
      });
      const token = take(text);
      if (token !== undefined) return token;
      throw new CliError("CREDENTIALS_INVALID", `${path} doesn't contain a token in the format set by credential_source.format.`);
    },
  };
}
