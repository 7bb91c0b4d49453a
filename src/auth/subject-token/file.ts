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
          error.code === "ENOENT"
            ? `There is no file ${path}, where the workload's token should be.`
            : `The file ${path}, where the workload's token should be, cannot be read: ${error.code}.`,
          { hint: "Whatever writes the token has to have run before; credential_source.file of the configuration says where it looks." },
        );
      });
      const token = take(text);
      if (token !== undefined) return token;
      throw new CliError("CREDENTIALS_INVALID", `The file ${path} holds no token of the kind that credential_source.format says.`);
    },
  };
}
