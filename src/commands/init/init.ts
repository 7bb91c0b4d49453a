import { basename, isAbsolute, relative, resolve } from "node:path";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { assertEmpty, copyTemplate } from "./copy-template.ts";
import { assertAllowed } from "../../settings/rules.ts";
import { askForSettings } from "./ask-for-settings.ts";

/** Creates a service that can be deployed without changes. Asks questions on a terminal, and uses defaults elsewhere. */
export async function init(context: Context, folderArgument: string | undefined): Promise<void> {
  const { cwd, dryRun, settings, terminal } = context;
  const folder = folderArgument ?? (terminal.asks && !(await isEmpty(cwd)) ? await askForFolder(context) : undefined);
  const directory = resolve(cwd, folder ?? ".");
  // Checked before the questions, not after them.
  if (terminal.asks) await assertEmpty(directory);
  const defaultName = settings.flag("service") ?? defaultServiceName(context, directory, folder);
  const answers = terminal.asks ? await askForSettings(context, directory, defaultName) : {};
  const template = settings.flag("template") ?? answers.template ?? settings.require("template");
  const service = settings.flag("service") ?? answers.service ?? defaultName;
  assertAllowed("service", {
    value: service,
    source: settings.flag("service") ? "--service" : "the directory name; use --service to set another",
  });

  if (dryRun) return printPlan(terminal, [`write ${directory} from the template ${template}, as service ${service}`]);
  const { project = settings.flag("project"), region = settings.flag("region"), credentials } = answers;
  const projectSettings = {
    template,
    ...optional("project", project),
    ...optional("region", region),
    ...optional("credentials", credentials),
  };
  const files = await copyTemplate({ template, directory, service, settings: projectSettings });
  if (terminal.json) return terminal.printJson({ service, template, directory, files });
  terminal.print(`${directory}\n`);
  terminal.note(`${service} is ready: ${files.length} files. Next:${cdCommand(cwd, directory)} cloudrun-oauth up`);
}

async function isEmpty(directory: string): Promise<boolean> {
  return assertEmpty(directory).then(
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

/** The name of the folder, if one is passed; for the current folder, the name in the settings comes first. */
function defaultServiceName({ settings }: Context, directory: string, folder: string | undefined): string {
  const configured = folder === undefined ? settings.get("service")?.value : undefined;
  return (
    configured ??
    basename(directory)
      .toLowerCase()
      .replaceAll(/[_.\s]+/g, "-")
  );
}

function optional(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

function cdCommand(cwd: string, directory: string): string {
  const path = relative(cwd, directory);
  return path ? ` cd ${path.startsWith("..") || isAbsolute(path) ? directory : path} &&` : "";
}
