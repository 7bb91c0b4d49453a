import { appendFileSync } from "node:fs";
import { randomUUID } from "node:crypto";

import { addOutputs } from "./outputs-file.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What was found out, for the steps after this one. On GitHub Actions: the step's outputs, and a table in the run's summary. Elsewhere: what `addOutputs` does.
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
export function setOutputs(env: Environment, title: string, outputs: Readonly<Record<string, string | number | null>>): void {
  const known = Object.entries(outputs).filter(([, value]) => value !== null && value !== "");
  addOutputs(env, known);
  if (env.GITHUB_ACTIONS !== "true") return;
  if (env.GITHUB_OUTPUT) {
    // A value that holds line ends cannot end its own entry before its time.
    const end = `end-${randomUUID()}`;
    appendFileSync(env.GITHUB_OUTPUT, known.map(([name, value]) => `${name}<<${end}\n${value}\n${end}\n`).join(""));
  }
  if (env.GITHUB_STEP_SUMMARY) {
    const rows = known.map(([name, value]) => `| ${name} | \`${String(value).replaceAll(/[`|\r\n]/g, " ")}\` |\n`).join("");
    appendFileSync(env.GITHUB_STEP_SUMMARY, `### ${title}\n\n| | |\n| --- | --- |\n${rows}\n`);
  }
}
