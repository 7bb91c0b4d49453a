import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../errors/cli-error.ts";

const FILE = "CLOUDRUN_OAUTH_OUTPUTS";

/**
 * Adds what was found out to the file that CLOUDRUN_OAUTH_OUTPUTS names, and on Cloud Build to the step's output, as the variables that this command
 * line reads: `url` as `CLOUDRUN_OAUTH_URL=…`. GitLab takes such a file as a report. Throws SETTINGS_INVALID where it cannot be written.
 * https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv
 * https://cloud.google.com/build/docs/pass-data-between-steps
 */
export function addOutputs(
  env: Readonly<Record<string, string | undefined>>,
  outputs: readonly (readonly [name: string, value: string | number | null])[],
): void {
  const lines = outputs.map(([name, value]) => `CLOUDRUN_OAUTH_${name.toUpperCase()}=${String(value).replaceAll(/[\r\n]+/g, " ")}\n`);
  const { BUILDER_OUTPUT: folder, [FILE]: file } = env;
  if (folder && existsSync(folder)) append(join(folder, "output"), lines, "BUILDER_OUTPUT");
  if (file) append(file, lines, FILE);
}

function append(file: string, lines: readonly string[], variable: string): void {
  try {
    appendFileSync(file, lines.join(""));
  } catch (error) {
    throw new CliError("SETTINGS_INVALID", `The file that ${variable} names cannot be written: ${(error as Error).message}.`, {
      hint: "The folder has to be there.",
      cause: error,
    });
  }
}
