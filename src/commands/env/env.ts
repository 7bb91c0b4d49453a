import { resolve } from "node:path";
import type { Service } from "../../cloud/cloud.ts";
import { requireServiceName, type ServiceName } from "../../cloud/names.ts";
import type { EnvironmentOptions, Variable } from "../../cloud/operate.ts";
import { parseVariables } from "../../cloud/environment-variables.ts";
import type { Context } from "../../context/context.ts";
import { readEnvFile } from "./env-file.ts";
import { CliError } from "../../errors/cli-error.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { printPlan } from "../../context/print-plan.ts";

/** Shows a service's environment variables; of one from a secret, where it comes from. */
export async function envList(context: Context, name: string | undefined): Promise<void> {
  const { terminal } = context;
  const options = serviceOf(context, name);
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("environment", options));
  const variables = await terminal.task(`Looking up ${options.service}`, () => cloud.environment(options));
  if (terminal.json) return terminal.printJson({ ...options, variables });
  if (variables.length === 0) return terminal.note(`${options.service} has no variables of its own.`);
  terminal.printTable(variables.map((variable) => [variable.name, sayValue(variable)]));
}

/** Sets variables, which makes a revision unless they are as wanted already. */
export async function envSet(
  context: Context,
  words: readonly string[],
  flags: { readonly fromFile?: string; readonly envFile?: string },
): Promise<void> {
  const name = words[0]?.includes("=") === false ? words[0] : undefined;
  const said = parseVariables(words.slice(name === undefined ? 0 : 1));
  const file = flags.fromFile ?? flags.envFile;
  const read = file === undefined ? {} : await readEnvFile(resolve(context.cwd, file));
  const set = { ...read, ...said };
  if (Object.keys(set).length === 0)
    throw new CliError("USAGE", "There is nothing to set.", { hint: "cloudrun-oauth env set NAME=VALUE, or --from-file .env" });
  const options = serviceOf(context, name);
  // A file's values are not for a screen, nor for a log.
  const shown = { ...Object.fromEntries(Object.keys(read).map((key) => [key, `<${key}>`])), ...said };
  await change(context, { ...options, set }, { ...options, set: shown });
}

/** Removes variables, those from a secret too; makes a revision unless none of them is there. */
export async function envUnset(context: Context, words: readonly string[]): Promise<void> {
  // Services have small letters; where a variable has them too, -s says which it is.
  const [first = "", ...others] = words;
  const isService = others.length > 0 && /^[a-z][a-z0-9-]*$/.test(first) && context.settings.flag("service") === undefined;
  const unset = isService ? others : words;
  const odd = unset.find((name) => !/^[A-Za-z_]\w*$/.test(name));
  if (odd !== undefined) throw new CliError("USAGE", `${odd} cannot be a variable's name.`, { hint: "cloudrun-oauth env unset NAME …" });
  const options = { ...serviceOf(context, isService ? first : undefined), unset };
  await change(context, options, options);
}

function serviceOf({ settings }: Context, name: string | undefined): ServiceName {
  return requireServiceName(settings, name);
}

async function change(context: Context, options: EnvironmentOptions, shown: EnvironmentOptions): Promise<void> {
  const { terminal } = context;
  const { service, project, region } = options;
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, [...cloud.plan("environment", options), ...cloud.plan("setEnvironment", shown)]);
  const before = await terminal.task(`Looking up ${service}`, () => cloud.environment(options));
  const set = Object.entries(options.set ?? {}).filter(
    ([name, value]) => before.find((variable) => variable.name === name)?.value !== value,
  );
  const unset = (options.unset ?? []).filter((name) => before.some((variable) => variable.name === name));
  const missing = (options.unset ?? []).filter((name) => !unset.includes(name));
  if (missing.length > 0) terminal.note(`Not set: ${missing.join(", ")}.`);
  const changed = set.length + unset.length > 0;
  const after = changed
    ? await terminal.task(`Changing the variables of ${service}`, () => cloud.setEnvironment({ ...options, unset }))
    : await cloud.describe(options);
  terminal.note(changed ? sayServing(after) : "They are so already: no revision is made.");
  setOutputs(context.env, `Changed the variables of ${service}`, { url: after.url, revision: after.latest_created_revision });
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
}

/** Traffic that has been pinned to revisions does not follow. */
function sayServing({ service, latest_created_revision: made, traffic }: Service): string {
  const percent = traffic.reduce((sum, target) => sum + (target.revision === made ? target.percent : 0), 0);
  if (percent === 100) return `${made} serves.`;
  return `${made} gets ${percent}% of the traffic. To give it all: cloudrun-oauth traffic ${service} --to LATEST`;
}

function sayValue({ value, secret }: Variable): string {
  return value ?? `(secret ${secret?.name}, version ${secret?.version})`;
}
