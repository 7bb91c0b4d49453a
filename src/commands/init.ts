import { basename, relative, resolve } from "node:path";
import type { Context } from "../context.ts";
import { printPlan } from "../plan.ts";
import { scaffold, TEMPLATES } from "../scaffold.ts";
import { assertAllowed } from "../settings/rules.ts";

/** Writes a service that deploys as it is. Asks where somebody can answer, and takes what goes without saying elsewhere. */
export async function init(context: Context, folder: string | undefined): Promise<void> {
  const { cwd, dryRun, settings, terminal } = context;
  const directory = resolve(cwd, folder ?? ".");
  const template =
    settings.flag("template") ?? (await answer(context, `Template (${TEMPLATES.join(", ")})`, "--template", settings.require("template")));
  const service =
    settings.flag("service") ?? (await answer(context, "Name of the service", "--service", nameFor(context, directory, folder)));
  assertAllowed("service", {
    value: service,
    source: settings.flag("service") ? "--service" : "the folder's name: say another with --service",
  });

  if (dryRun) return printPlan(terminal, [`write ${directory} from the template ${template}, as service ${service}`]);
  const kept = { template, ...given("project", settings.flag("project")), ...given("region", settings.flag("region")) };
  const files = await scaffold({ template, directory, service, settings: kept });
  if (terminal.json) return terminal.printJson({ service, template, directory, files });
  terminal.print(`${directory}\n`);
  terminal.note(`${service} is ready: ${files.length} files. Next:${step(cwd, directory)} cloudrun-oauth build && cloudrun-oauth deploy`);
}

async function answer({ terminal }: Context, question: string, flag: string, initial: string): Promise<string> {
  return terminal.interactive ? terminal.ask(question, { flag, initial }) : initial;
}

/** A folder that is named says its service's name; this folder takes the name that is set. */
function nameFor({ settings }: Context, directory: string, folder: string | undefined): string {
  const named = folder === undefined ? settings.get("service")?.value : undefined;
  return (
    named ??
    basename(directory)
      .toLowerCase()
      .replaceAll(/[_.\s]+/g, "-")
  );
}

function given(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

function step(cwd: string, directory: string): string {
  const path = relative(cwd, directory);
  return path ? ` cd ${path.startsWith("..") ? directory : path} &&` : "";
}
