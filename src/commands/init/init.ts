import { basename, resolve } from "node:path";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { nextStep } from "../../errors/next-step.ts";
import { assertAllowed } from "../../settings/rules.ts";
import { askForSettings } from "./ask-for-settings.ts";
import { assertEmpty, copyTemplate } from "./copy-template.ts";

/** Creates a service that can be deployed without changes. Asks questions on a terminal, and uses defaults elsewhere. */
export async function init(context: Context, folderArgument: string | undefined): Promise<void> {
  const { cwd, dryRun, settings, terminal } = context;
  const isEmpty = () =>
    assertEmpty(cwd).then(
      () => true,
      () => false,
    );
  const folder = folderArgument ?? (terminal.asks && !(await isEmpty()) ? await askForFolder(context) : undefined);
  const directory = resolve(cwd, folder ?? ".");
  // Checked before the questions, not after them.
  if (terminal.asks) await assertEmpty(directory);
  const defaultName = settings.flag("service") ?? defaultServiceName(context, directory, folder);
  const answers = terminal.asks ? await askForSettings(context, directory, defaultName) : {};
  const template = settings.flag("template") ?? answers.template ?? settings.require("template");
  const service = settings.flag("service") ?? answers.service ?? defaultName;
  const source = settings.flag("service") ? "--service" : "the directory name; use --service to set another";
  assertAllowed("service", { value: service, source });

  if (dryRun) return printPlan(terminal, [`write ${directory} from the template ${template}, as service ${service}`]);
  const { project = settings.flag("project"), region = settings.flag("region"), credentials } = answers;
  const chosen = Object.entries({ template, project, region, credentials }).flatMap(([name, value]) => (value ? [[name, value]] : []));
  const files = await copyTemplate({ template, directory, service, settings: Object.fromEntries(chosen) });
  if (terminal.json) return terminal.printJson({ service, template, directory, files });
  terminal.print(`${directory}\n`);
  terminal.note(`Created service ${service} from the ${template} template (${files.length} files).`);
  const knownProject = project ?? settings.get("project")?.value;
  const steps = [
    nextStep("To deploy to Google Cloud", "up", ...(knownProject ? [] : ["--project", "PROJECT_ID"])),
    nextStep("To start a local emulator instead", "emulator", "start", "--detach"),
    nextStep("To deploy to the emulator", "up", "--emulator"),
  ];
  terminal.nextSteps(steps, directory);
}

function askForFolder({ terminal }: Context): Promise<string> {
  return terminal.ask("Directory for the service (the current directory isn't empty)", {
    flag: "a directory",
    initial: "hello",
    fault: (answer) => (answer.trim() ? undefined : "Enter a directory name."),
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
