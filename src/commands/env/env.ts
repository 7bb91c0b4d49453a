import { resolve } from "node:path";
import type { Service, Variable } from "../../cloud/service.ts";
import { requireServiceName } from "../../cloud/names.ts";
import type { EnvironmentOptions } from "../../cloud/cloud.ts";
import { parseVariables } from "../../cloud/environment-variables.ts";
import type { Context } from "../../context/context.ts";
import { readEnvFile } from "./env-file.ts";
import { CliError } from "../../errors/cli-error.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { printPlan } from "../../context/print-plan.ts";

/** Shows a service's environment variables; for those from secrets, the secret instead of the value. */
export async function envList(context: Context, name: string | undefined): Promise<void> {
  const { terminal } = context;
  const options = requireServiceName(context.settings, name);
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("environment", options));
  const variables = await terminal.task(`Looking up ${options.service}`, () => cloud.environment(options));
  if (terminal.json) return terminal.printJson({ ...options, variables });
  if (variables.length === 0) return terminal.note(`${options.service} has no variables of its own.`);
  terminal.printTable(variables.map((variable) => [variable.name, formatValue(variable)]));
}

/** Sets variables, which creates a revision unless they have these values already. */
export async function envSet(
  context: Context,
  words: readonly string[],
  flags: { readonly fromFile?: string; readonly envFile?: string },
): Promise<void> {
  const name = words[0]?.includes("=") === false ? words[0] : undefined;
  const given = parseVariables(words.slice(name === undefined ? 0 : 1));
  const file = flags.fromFile ?? flags.envFile;
  const fromFile = file === undefined ? {} : await readEnvFile(resolve(context.cwd, file));
  const set = { ...fromFile, ...given };
  if (Object.keys(set).length === 0)
    throw new CliError("USAGE", "There is nothing to set.", { hint: "cloudrun-oauth env set NAME=VALUE, or --from-file .env" });
  const options = requireServiceName(context.settings, name);
  // The values in a file must not appear on a screen or in a log.
  const shown = { ...Object.fromEntries(Object.keys(fromFile).map((key) => [key, `<${key}>`])), ...given };
  await changeVariables(context, { ...options, set }, { ...options, set: shown });
}

/** Removes variables, including those from secrets. Creates a revision unless none of them exists. */
export async function envUnset(context: Context, words: readonly string[]): Promise<void> {
  // The first word is the service if it can be one; `-s` settles it for a variable in lower case.
  const [first = "", ...others] = words;
  const isService = others.length > 0 && /^[a-z][a-z0-9-]*$/.test(first) && context.settings.flag("service") === undefined;
  const unset = isService ? others : words;
  const invalidName = unset.find((name) => !/^[A-Za-z_]\w*$/.test(name));
  if (invalidName !== undefined)
    throw new CliError("USAGE", `${invalidName} cannot be a variable's name.`, { hint: "cloudrun-oauth env unset NAME …" });
  const options = { ...requireServiceName(context.settings, isService ? first : undefined), unset };
  await changeVariables(context, options, options);
}

async function changeVariables(context: Context, options: EnvironmentOptions, shown: EnvironmentOptions): Promise<void> {
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
  terminal.note(changed ? describeTraffic(after) : "They are so already: no revision is made.");
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

/** A new revision gets no traffic if all of it is pinned to others. */
function describeTraffic({ service, latest_created_revision: revision, traffic }: Service): string {
  const percent = traffic.reduce((sum, target) => sum + (target.revision === revision ? target.percent : 0), 0);
  if (percent === 100) return `${revision} serves.`;
  return `${revision} gets ${percent}% of the traffic. To give it all: cloudrun-oauth traffic ${service} --to LATEST`;
}

function formatValue({ value, secret }: Variable): string {
  return value ?? `(secret ${secret?.name}, version ${secret?.version})`;
}
