import { relative } from "node:path";
import { REGIONS } from "../../settings/regions.ts";
import type { Context } from "../../context/context.ts";
import { TEMPLATES } from "./copy-template.ts";
import { knownCredentials, knownPlaces } from "../../settings/known-values.ts";
import { explainInvalid } from "../../settings/rules.ts";
import type { Choice } from "../../terminal/prompts.ts";

interface Answers {
  readonly template?: string;
  readonly service?: string;
  readonly project?: string;
  readonly region?: string;
  /** Relative to the service's folder if it is in there. */
  readonly credentials?: string;
}

const [OTHER, NONE] = ["another", "none"].map((name) => `(${name})`) as [string, string];

const DESCRIPTIONS: Readonly<Record<(typeof TEMPLATES)[number], string>> = {
  hono: "JavaScript, Hono",
  express: "JavaScript, Express",
  flask: "Python, Flask",
  fastapi: "Python, FastAPI",
};

/** Asks for what no flag sets, and offers values from the environment, profiles and gcloud's configurations, the most likely one first. */
export async function askForSettings(context: Context, directory: string, service: string): Promise<Answers> {
  const { settings } = context;
  const isUnset = (name: Parameters<typeof settings.flag>[0]) => settings.flag(name) === undefined;
  return {
    ...(isUnset("template") && { template: await askForTemplate(context) }),
    ...(isUnset("service") && { service: await askFor(context, "service", "Service name", service) }),
    ...(isUnset("project") && (await askForProject(context))),
    ...(isUnset("region") && { region: await askForRegion(context) }),
    ...(isUnset("credentials") && (await askForCredentials(context, directory))),
  };
}

function askForTemplate({ settings, terminal }: Context): Promise<string> {
  const set = settings.require("template");
  const choices = TEMPLATES.map((value) => ({ value, hint: DESCRIPTIONS[value] }));
  return terminal.choose("Template", { flag: "--template", choices: putFirst(choices, set) });
}

function askFor({ terminal }: Context, name: string, question: string, initial?: string): Promise<string> {
  const fault = (answer: string) => (answer ? explainInvalid(name, answer) : `Enter a ${name}.`);
  return terminal.ask(question, { flag: `--${name}`, fault, ...(initial && !fault(initial) && { initial }) });
}

async function askForProject(context: Context): Promise<{ project?: string }> {
  const { env, settings, terminal } = context;
  const known = knownPlaces("project", settings, env).map(({ value, source }) => ({ value, hint: source }));
  const others = [
    { value: OTHER, label: "Enter a project ID" },
    { value: NONE, label: "Skip (use the emulator)" },
  ];
  // The first choice is the selected one: without a known project, the emulator needs none.
  const choices = known.length > 0 ? [...known, ...others] : others.toReversed();
  const chosen = await terminal.choose("Google Cloud project", { flag: "--project", choices });
  if (chosen === NONE) return {};
  return { project: chosen === OTHER ? await askFor(context, "project", "Project ID") : chosen };
}

function askForRegion({ env, settings, terminal }: Context): Promise<string> {
  const known: readonly Choice[] = knownPlaces("region", settings, env).map(({ value, source }) => ({ value, hint: source }));
  const others = REGIONS.filter((region) => !known.some(({ value }) => value === region)).map((value) => ({ value }));
  return terminal.choose("Region", { flag: "--region", choices: [...known, ...others] });
}

async function askForCredentials({ env, settings, terminal }: Context, directory: string): Promise<{ credentials?: string }> {
  const known = knownCredentials(settings, env).map(({ value, source }) => ({ value, hint: source }));
  if (known.length === 0) return {};
  const choices = [{ value: NONE, label: "Detect automatically (recommended)" }, ...known];
  const chosen = await terminal.choose("Credentials to call the service with", { flag: "--credentials", choices });
  if (chosen === NONE) return {};
  const inside = relative(directory, chosen);
  return { credentials: inside.startsWith("..") ? chosen : inside };
}

function putFirst(choices: readonly Choice[], first: string): readonly Choice[] {
  return [...choices.filter(({ value }) => value === first), ...choices.filter(({ value }) => value !== first)];
}
