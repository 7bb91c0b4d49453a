import { Writable } from "node:stream";
import { Option } from "commander";
import type { ProcessIo } from "../../context/process-io.ts";
import type { Candidate } from "./candidate.ts";
import type { CompletionPoint } from "./parse-words.ts";

/** How long the shell waits for Google's answer. */
const ANSWER_TIMEOUT_MS = 3000;

/** The values that a flag or an argument can have: from its definition, from files, or from the control plane if it answers in time. */
export async function valueCandidates(point: CompletionPoint, io: ProcessIo): Promise<readonly Candidate[]> {
  const { target, command, given } = point;
  if (!target) return [];
  if (target.argChoices) return target.argChoices.map((choice) => [choice]);
  const name = target instanceof Option ? target.attributeName() : target.name();
  const isOfConfig = command.parent?.name() === "config" && !(target instanceof Option);
  if (isOfConfig && name === "name") return (await import("../../settings/setting-sources.ts")).SETTING_NAMES.map((setting) => [setting]);
  return candidatesByName(isOfConfig && name === "value" ? (given[0] ?? "") : name, point, io);
}

/** Tells the shell to add files, folders or programs if the placeholder asks for them. */
export function fileDirective({ kind, target, command, index }: CompletionPoint): readonly string[] {
  if (kind === "passed") return command.name() === "exec" ? [index === 0 ? ":programs" : ":files"] : [];
  if (!target || kind === "flag") return [];
  const placeholder = target instanceof Option ? (/<(.+?)>/.exec(target.flags)?.[1] ?? "") : target.name();
  if (["dir", "directory", "folder"].includes(placeholder)) return [":folders"];
  return placeholder === "file" ? [":files"] : [];
}

async function candidatesByName(name: string, point: CompletionPoint, io: ProcessIo): Promise<readonly Candidate[]> {
  if (name === "region") return (await import("../../settings/regions.ts")).REGIONS.map((region) => [region]);
  if (name === "template") return (await import("../../commands/init/copy-template.ts")).TEMPLATES.map((template) => [template]);
  if (name === "profile") {
    const { profiles } = (await openSilentContext(point, io)).settings;
    return profiles.names().map((profile) => [profile, profile === profiles.current() ? "in use" : ""]);
  }
  const choices = (await import("../../settings/rules.ts")).choicesOf(name);
  if (choices) return choices.map((choice) => [choice]);
  // The first of several arguments is the service.
  const kind = ["args", "targets"].includes(name) && point.index === 0 ? "service" : name;
  if (kind !== "service" && kind !== "member" && kind !== "revision") return [];
  return (await import("./live-values.ts")).liveValues(await openSilentContext(point, io), kind);
}

/** The context that the complete command line would get, but it prints nothing and ends in time. */
async function openSilentContext({ options, given, target }: CompletionPoint, io: ProcessIo) {
  const [{ openContext }, { openTerminal }] = await Promise.all([
    import("../../context/create-context.ts"),
    import("../../terminal/terminal.ts"),
  ]);
  const openSink = () => new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = await openTerminal({ ...io, stdout: openSink(), stderr: openSink(), json: true, quiet: true, color: false });
  const service = target instanceof Option && given[0] ? { service: given[0] } : {};
  const { env, cwd, self, stdin } = io;
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  return openContext({ options: { ...service, ...options }, terminal, env, cwd, self, stdin, passedArguments: [], signal });
}
