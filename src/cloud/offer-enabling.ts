import { CliError } from "../errors/cli-error.ts";
import { poll } from "../http/poll.ts";
import type { CloudContext } from "./cloud-context.ts";
import type { Cloud } from "./cloud.ts";

/** What fails without an offer: what enables APIs, and what a command can do without. */
const EXEMPT: ReadonlySet<string | symbol> = new Set(["plan", "enable", "projectPolicy"]);

/** Google: "If you enabled this API recently, wait a few minutes for the action to propagate". */
const PROPAGATION_TIMEOUT_MS = 180_000;

/**
 * The control plane, with an offer to enable an API that a verb needs and that isn't enabled; then the verb goes on. Without a person to ask, the
 * verb fails with the command that enables the API.
 */
export function offerEnabling(cloud: Cloud, { terminal, signal }: Pick<CloudContext, "terminal" | "signal">): Cloud {
  const answers = new Map<string, Promise<boolean>>();
  const enable = async (project: string, api: string): Promise<boolean> => {
    if (!(await terminal.offer(`${api} is not enabled in project ${project}. Enable it?`))) return false;
    await terminal.task(`Enabling ${api}`, () => cloud.enable({ project, apis: [api] }));
    return true;
  };

  const run = async (verb: () => unknown): Promise<unknown> => {
    let failure: unknown;
    const attempt = async (): Promise<{ readonly result: unknown } | undefined> => {
      try {
        return { result: await verb() };
      } catch (error) {
        const missing = missingApi(error);
        if (!missing) throw error;
        failure = error;
        const key = `${missing.project} ${missing.api}`;
        // Several verbs at once can need the same API: one of them asks.
        const answer = answers.get(key) ?? enable(missing.project, missing.api);
        answers.set(key, answer);
        if (!(await answer)) throw withYesHint(error as CliError);
        return undefined;
      }
    };
    const polling = { signal, firstPauseMs: 1000, maxPauseMs: 10_000, timeoutMs: PROPAGATION_TIMEOUT_MS };
    const outcome = (await attempt()) ?? (await poll(attempt, polling));
    if (!outcome) throw failure;
    return outcome.result;
  };

  return new Proxy(cloud, {
    get(target, name) {
      const verb: unknown = Reflect.get(target, name);
      if (typeof verb !== "function" || EXEMPT.has(name)) return verb;
      return (options: unknown) => run((): unknown => Reflect.apply(verb, target, [options]));
    },
  });
}

/** The API that isn't enabled, if that is what a verb failed for. */
function missingApi(error: unknown): { readonly project: string; readonly api: string } | undefined {
  if (!(error instanceof CliError) || error.reason !== "API_NOT_ENABLED" || error.subject?.kind !== "api") return undefined;
  const { name: api, project } = error.subject;
  return project === undefined ? undefined : { project, api };
}

function withYesHint(error: CliError): CliError {
  return error.with({ hint: `${error.hint ?? ""} — or run this again with --yes, which does it.` });
}
