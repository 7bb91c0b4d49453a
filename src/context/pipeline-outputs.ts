import { randomUUID } from "node:crypto";
import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { unwritable } from "../errors/file-error.ts";
import type { Environment } from "./context.ts";

/**
 * Hands a command's results to the next steps of a CI pipeline: on GitHub Actions as outputs of the step and as a table in the job's summary; on
 * Cloud Build, and in the file that CLOUDRUN_OAUTH_OUTPUTS names, as the variables that this command line reads: `url` as `CLOUDRUN_OAUTH_URL=…`.
 * GitLab takes such a file as a report. Throws SETTINGS_INVALID if the file can't be written.
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 * https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv
 * https://cloud.google.com/build/docs/pass-data-between-steps
 */
export function setOutputs(env: Environment, title: string, values: Readonly<Record<string, string | number | null>>): void {
  const outputs = Object.entries(values).filter(([, value]) => value !== null && value !== "");
  const variables = outputs.map(([name, value]) => `CLOUDRUN_OAUTH_${name.toUpperCase()}=${String(value).replaceAll(/[\r\n]+/g, " ")}\n`);
  const { BUILDER_OUTPUT: folder, CLOUDRUN_OAUTH_OUTPUTS: file } = env;
  if (folder && existsSync(folder)) append(join(folder, "output"), variables, "BUILDER_OUTPUT");
  if (file) append(file, variables, "CLOUDRUN_OAUTH_OUTPUTS");
  if (env.GITHUB_ACTIONS !== "true") return;
  if (env.GITHUB_OUTPUT) {
    // No value can contain this delimiter, so none can end its own entry.
    const delimiter = `end-${randomUUID()}`;
    appendFileSync(env.GITHUB_OUTPUT, outputs.map(([name, value]) => `${name}<<${delimiter}\n${value}\n${delimiter}\n`).join(""));
  }
  if (env.GITHUB_STEP_SUMMARY) {
    const rows = outputs.map(([name, value]) => `| ${name} | \`${String(value).replaceAll(/[`|\r\n]/g, " ")}\` |\n`).join("");
    appendFileSync(env.GITHUB_STEP_SUMMARY, `### ${title}\n\n| | |\n| --- | --- |\n${rows}\n`);
  }
}

function append(file: string, lines: readonly string[], variable: string): void {
  try {
    appendFileSync(file, lines.join(""));
  } catch (error) {
    throw unwritable(`${file} (from ${variable})`, error, { code: "SETTINGS_INVALID" });
  }
}
