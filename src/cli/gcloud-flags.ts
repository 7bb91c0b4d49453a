import { Option, type Command } from "commander";

/** gcloud's names for the flags of our commands. A `<list>` sets a flag that is repeated. */
const GCLOUD_FLAGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  build: { "--tag <reference>": "--image" },
  deploy: { "--set-env-vars <list>": "--env", "--update-env-vars <list>": "--env" },
  traffic: {
    "--to-revisions <list>": "--to",
    "--set-tags <list>": "--tag",
    "--update-tags <list>": "--tag",
    "--remove-tags <list>": "--remove-tag",
  },
  logs: { "--freshness <duration>": "--since" },
  "keys create": { "--iam-account <email>": "--account" },
  "keys list": { "--iam-account <email>": "--account" },
  "keys delete": { "--iam-account <email>": "--account" },
  // Not gcloud's: Node reads a flag of this name itself, and exits if the file doesn't exist.
  "env set": { "--env-file <file>": "--from-file" },
};

/** Adds gcloud's names for a command's flags, hidden in its help. `path` is the command as it is typed. */
export function addGcloudFlags(command: Command, path: string): void {
  for (const [spelling, name] of Object.entries(GCLOUD_FLAGS[path] ?? {})) {
    const target = command.options.find(({ long }) => long === name);
    if (target) command.addOption(createAlias(spelling, target));
  }
}

function createAlias(spelling: string, target: Option): Option {
  const alias = new Option(spelling).hideHelp();
  alias.attributeName = () => target.attributeName();
  const { parseArg } = target;
  if (parseArg && spelling.endsWith("<list>"))
    return alias.argParser((text, earlier: unknown) => splitList(text).reduce((value: unknown, part) => parseArg(part, value), earlier));
  return parseArg ? alias.argParser(parseArg) : alias;
}

/** `A=1,B=2`, or `^;^A=1;B=2` if a value has a comma. See https://cloud.google.com/sdk/gcloud/reference/topic/escaping */
function splitList(text: string): string[] {
  const [, separator = ",", list = text] = /^\^(.+?)\^(.*)$/s.exec(text) ?? [];
  return list.split(separator).filter(Boolean);
}
