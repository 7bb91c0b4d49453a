import { resolve } from "node:path";
import type { Service } from "../../cloud/service.ts";
import { requireServiceName } from "../../cloud/names.ts";
import type { EnvironmentOptions } from "../../cloud/cloud.ts";
import { parseVariables } from "../../cloud/environment-variables.ts";
import type { Context } from "../../context/context.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { printPlan } from "../../context/print-plan.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { readEnvFile } from "./env-file.ts";

/** Shows a service's environment variables; for those from secrets, the secret instead of the value. */
export async function envList(context: Context, name: string | undefined): Promise<void> {
  const { terminal } = context;
  const options = requireServiceName(context.settings, name);
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("environment", options));
  const variables = await terminal.wait(`Checking ${options.service}`, () => cloud.environment(options));
  if (terminal.json) return terminal.printJson({ ...options, variables });
  if (variables.length === 0) return terminal.note(`No environment variables set on ${options.service}.`);
  terminal.printTable(
    variables.map(({ name: variable, value, secret }) => [variable, value ?? `(secret ${secret?.name}, version ${secret?.version})`]),
    { header: ["name", "value"] },
  );
}

/** Sets variables, which creates a revision unless they have these values already. */
export async function envSet(context: Context, words: readonly string[], flags: { readonly fromFile?: string }): Promise<void> {
  const name = words[0]?.includes("=") === false ? words[0] : undefined;
  const given = parseVariables(words.slice(name === undefined ? 0 : 1));
  const file = flags.fromFile;
  const fromFile = file === undefined ? {} : await readEnvFile(resolve(context.cwd, file));
  const set = { ...fromFile, ...given };
  if (Object.keys(set).length === 0) throw new CliError("USAGE", "No variables specified.", { hint: "Pass NAME=VALUE or --from-file." });
  const options = requireServiceName(context.settings, name);
  // The values in a file must not appear on a screen or in a log.
  const shown = { ...Object.fromEntries(Object.keys(fromFile).map((key) => [key, `<${key}>`])), ...given };
  await changeVariables(context, { ...options, set }, { ...options, set: shown });
}

/** Removes variables, including those from secrets. Creates a revision unless none of them exists. */
export async function envUnset(context: Context, words: readonly string[]): Promise<void> {
  // The first argument is the service if it can be one, unless `-s` names it.
  const [first = "", ...others] = words;
  const isService = others.length > 0 && /^[a-z][a-z0-9-]*$/.test(first) && context.settings.flag("service") === undefined;
  const unset = isService ? others : words;
  const invalidName = unset.find((name) => !/^[A-Za-z_]\w*$/.test(name));
  if (invalidName !== undefined)
    throw new CliError("USAGE", `Invalid variable name "${invalidName}".`, { hint: "Names consist of letters, digits, and underscores." });
  const options = { ...requireServiceName(context.settings, isService ? first : undefined), unset };
  await changeVariables(context, options, options);
}

async function changeVariables(context: Context, options: EnvironmentOptions, shown: EnvironmentOptions): Promise<void> {
  const { terminal } = context;
  const { service, project, region } = options;
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, [...cloud.plan("environment", options), ...cloud.plan("setEnvironment", shown)]);
  const before = await terminal.wait(`Checking ${service}`, () => cloud.environment(options));
  const set = Object.entries(options.set ?? {}).filter(
    ([name, value]) => before.find((variable) => variable.name === name)?.value !== value,
  );
  const unset = (options.unset ?? []).filter((name) => before.some((variable) => variable.name === name));
  const missing = (options.unset ?? []).filter((name) => !unset.includes(name));
  if (missing.length > 0) terminal.note(`Not set: ${missing.join(", ")}.`);
  const changed = set.length + unset.length > 0;
  const after = changed
    ? await terminal.step({ running: `Updating ${service}`, done: `Updated ${service}`, failed: "Update failed" }, () =>
        cloud.setEnvironment({ ...options, unset }),
      )
    : await cloud.describe(options);
  if (!changed) terminal.note("No changes.");
  setOutputs(context.env, `Updated the variables for ${service}`, { url: after.url, revision: after.latest_created_revision });
  if (terminal.json)
    return terminal.printJson({
      service,
      project,
      region,
      url: after.url,
      revision: after.latest_created_revision,
      changed,
      set: set.map(([name]) => name),
      unset,
    });
  terminal.printTable([
    ["URL", after.url],
    ["REVISION", after.latest_created_revision ?? ""],
    ...set.map(([name]) => ["SET", name]),
    ...unset.map((name) => ["UNSET", name]),
  ]);
  if (!changed || percentOfLatest(after) === 100) return;
  terminal.note(`\nRevision ${after.latest_created_revision} isn't receiving ${percentOfLatest(after) > 0 ? "all " : ""}traffic.`);
  terminal.nextSteps([nextStep("To send it all traffic", "traffic", service, "--to", "LATEST")]);
}

/** A new revision receives no traffic if all of it is pinned to others. */
function percentOfLatest({ latest_created_revision: latest, traffic }: Service): number {
  return traffic.reduce((sum, { revision, percent }) => sum + (revision === latest ? percent : 0), 0);
}
