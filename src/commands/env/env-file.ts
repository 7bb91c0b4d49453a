import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { assertNotReserved } from "../../cloud/environment-variables.ts";
import { CliError } from "../../errors/cli-error.ts";

/** Reads a .env file as `node --env-file` does. Throws NOT_FOUND if it doesn't exist, USAGE if it contains no variables or an invalid line. */
export async function readEnvFile(path: string): Promise<Record<string, string>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") throw new CliError("NOT_FOUND", `File not found: ${path}`);
    throw new CliError("USAGE", `Can't read ${path}: ${message}.`, { cause: error });
  }
  // From Node 22 on, blanks in place of a value make the next line the value, and a name without a value keeps `export`.
  // The order of the variables depends on the version.
  const variables = Object.entries(parseEnv(text.replace(/=[ \t]+(?=\r?$)/gm, "=")))
    .map(([name, value]) => [name.replace(/^export\s+/, ""), value ?? ""] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (variables.length === 0)
    throw new CliError("USAGE", `${path} doesn't contain any variables.`, { hint: "Use lines such as NAME=VALUE." });
  for (const [name] of variables) {
    // An invalid name comes from a line that is cut or quoted wrongly. The error doesn't repeat it: it can contain a value.
    if (!/^[A-Za-z_]\w*$/.test(name))
      throw new CliError("USAGE", `${path} contains an invalid line. Use NAME=VALUE.`, {
        hint: "Names consist of letters, digits, and underscores.",
      });
    assertNotReserved(name);
  }
  return Object.fromEntries(variables);
}
