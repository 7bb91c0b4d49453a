import { basename, isAbsolute, relative, resolve } from "node:path";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { assertFree, scaffold } from "./copy-template.ts";
import { assertAllowed } from "../../settings/rules.ts";
import { askForSettings } from "./wizard.ts";

/** Writes a service that deploys as it is. Asks where somebody can answer, and takes what goes without saying elsewhere. */
export async function init(context: Context, named: string | undefined): Promise<void> {
  const { cwd, dryRun, settings, terminal } = context;
  const folder = named ?? (terminal.asks && !(await isFree(cwd)) ? await askForFolder(context) : undefined);
  const directory = resolve(cwd, folder ?? ".");
  // Nobody is to answer five questions before he hears of it.
  if (terminal.asks) await assertFree(directory);
  const proposed = settings.flag("service") ?? nameFor(context, directory, folder);
  const answers = terminal.asks ? await askForSettings(context, directory, proposed) : {};
  const template = settings.flag("template") ?? answers.template ?? settings.require("template");
  const service = settings.flag("service") ?? answers.service ?? proposed;
  assertAllowed("service", {
    value: service,
    source: settings.flag("service") ? "--service" : "the folder's name: say another with --service",
  });

  if (dryRun) return printPlan(terminal, [`write ${directory} from the template ${template}, as service ${service}`]);
  const { project = settings.flag("project"), region = settings.flag("region"), credentials } = answers;
  const kept = { template, ...given("project", project), ...given("region", region), ...given("credentials", credentials) };
  const files = await scaffold({ template, directory, service, settings: kept });
  if (terminal.json) return terminal.printJson({ service, template, directory, files });
  terminal.print(`${directory}\n`);
  terminal.note(`${service} is ready: ${files.length} files. Next:${step(cwd, directory)} cloudrun-oauth up`);
}

async function isFree(directory: string): Promise<boolean> {
  return assertFree(directory).then(
    () => true,
    () => false,
  );
}

function askForFolder({ terminal }: Context): Promise<string> {
  return terminal.ask("Folder for the service: this one is not empty", {
    flag: "cloudrun-oauth init FOLDER",
    initial: "hello",
    fault: (answer) => (answer.trim() ? undefined : "A folder has a name."),
  });
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
  return path ? ` cd ${path.startsWith("..") || isAbsolute(path) ? directory : path} &&` : "";
}
