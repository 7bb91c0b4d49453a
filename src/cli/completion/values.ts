import { Writable } from "node:stream";
import { Option } from "commander";
import type { ProcessIo } from "../../context/process-io.ts";
import type { Place } from "./parse-words.ts";

type Candidate = readonly [value: string, meaning?: string];

/** Milliseconds that a shell waits for what Google has to say. */
const PATIENCE = 3000;

/** What the value may be: out of the tree itself, out of what this machine keeps, or as Google's control plane answers in time. */
export async function valuesFor(place: Place, io: ProcessIo): Promise<readonly Candidate[]> {
  const { target, command, given } = place;
  if (!target) return [];
  if (target.argChoices) return target.argChoices.map((choice) => [choice]);
  const name = target instanceof Option ? target.attributeName() : target.name();
  const isSetting = command.parent?.name() === "config" && !(target instanceof Option);
  if (isSetting && name === "name") return settingNames();
  return valuesOf(isSetting && name === "value" ? (given[0] ?? "") : name, place, io);
}

/** Whether the shell is to add files or folders, as the placeholder says. */
export function fileDirective({ kind, target, command, index }: Place): readonly string[] {
  if (kind === "rest") return command.name() === "exec" ? [index === 0 ? ":programs" : ":files"] : [];
  if (!target || kind === "option") return [];
  const placeholder = target instanceof Option ? (/<(.+?)>/.exec(target.flags)?.[1] ?? "") : target.name();
  if (["dir", "folder"].includes(placeholder)) return [":folders"];
  return placeholder === "file" ? [":files"] : [];
}

async function settingNames(): Promise<Candidate[]> {
  const { SETTING_NAMES } = await import("../../settings/setting-sources.ts");
  return SETTING_NAMES.map((name) => [name]);
}

async function valuesOf(name: string, place: Place, io: ProcessIo): Promise<readonly Candidate[]> {
  if (name === "region") return (await import("../../settings/regions.ts")).REGIONS.map((region) => [region]);
  if (name === "template") return (await import("../../commands/init/copy-template.ts")).TEMPLATES.map((template) => [template]);
  if (name === "profile") {
    const { profiles } = (await openQuietly(place, io)).settings;
    return profiles.names().map((profile) => [profile, profile === profiles.current() ? "in use" : ""]);
  }
  const choices = (await import("../../settings/rules.ts")).choicesOf(name);
  if (choices) return choices.map((choice) => [choice]);
  const isAsked = ["service", "member", "revision", "words"].includes(name) && (name !== "words" || place.index === 0);
  if (!isAsked) return [];
  const { liveValues } = await import("./live-values.ts");
  return liveValues(await openQuietly(place, io), name === "words" ? "service" : (name as "service" | "member" | "revision"));
}

/** A context as the finished line would have it, which says nothing to anybody and ends in time. */
async function openQuietly({ options, given, target }: Place, io: ProcessIo) {
  const [{ openContext }, { openTerminal }] = await Promise.all([
    import("../../context/create-context.ts"),
    import("../../terminal/terminal.ts"),
  ]);
  const sink = () => new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = await openTerminal({ ...io, stdout: sink(), stderr: sink(), json: true, quiet: true, color: false });
  const service = target instanceof Option && given[0] ? { service: given[0] } : {};
  const { env, cwd, self, stdin } = io;
  return openContext({
    options: { ...service, ...options },
    terminal,
    env,
    cwd,
    self,
    stdin,
    rest: [],
    signal: AbortSignal.timeout(PATIENCE),
  });
}
