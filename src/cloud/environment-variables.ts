import { CliError } from "../errors/cli-error.ts";

/** Reads `NAME=VALUE` texts; `prefix` is what precedes each on the command line. Throws USAGE, which never contains a value. */
export function parseVariables(texts: readonly string[], prefix = ""): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const text of texts) {
    const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(text) ?? [];
    if (name === undefined || value === undefined)
      throw new CliError("USAGE", `Invalid variable "${text.split("=")[0]}".`, {
        hint: `Use NAME=VALUE, for example ${prefix}GREETING=hello.`,
      });
    assertNotReserved(name, prefix);
    variables[name] = value;
  }
  return variables;
}

/** Throws USAGE for a variable that Cloud Run sets itself. https://cloud.google.com/run/docs/container-contract#env-vars */
export function assertNotReserved(name: string, prefix = ""): void {
  if (name === "PORT" || /^K_(?:SERVICE|REVISION|CONFIGURATION)$/.test(name))
    throw new CliError("USAGE", `Can't set ${name}: Cloud Run sets it.`, { hint: `Omit ${prefix}${name}.` });
}
