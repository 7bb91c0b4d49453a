import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { assertFree } from "../../cloud/environment-variables.ts";
import { CliError } from "../../errors/cli-error.ts";

/** Reads a .env file as `node --env-file` does. Throws NOT_FOUND for one that is not there, USAGE for one that holds no variable. */
export async function readEnvFile(path: string): Promise<Record<string, string>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") throw new CliError("NOT_FOUND", `There is no file ${path}.`);
    throw new CliError("USAGE", `${path} cannot be read: ${message}.`, { cause: error });
  }
  // Node 22 and later take the next line for a value where blanks stand in its place, and leave `export` with a name that has none.
  // Some versions give them in the file's order, some do not.
  const variables = Object.entries(parseEnv(text.replace(/=[ \t]+(?=\r?$)/gm, "=")))
    .map(([name, value]) => [name.replace(/^export\s+/, ""), value ?? ""] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (variables.length === 0)
    throw new CliError("USAGE", `${path} holds no variable.`, { hint: "It has lines of the form NAME=VALUE, and # before a comment." });
  for (const [name] of variables) {
    // What is no name here is a line that is cut or quoted wrongly: it is not repeated, since it may hold a value.
    if (!/^[A-Za-z_]\w*$/.test(name))
      throw new CliError("USAGE", `A line of ${path} is no variable: it has the form NAME=VALUE.`, {
        hint: "Names have letters, digits and underscores.",
      });
    assertFree(name);
  }
  return Object.fromEntries(variables);
}
