import { CliError } from "../errors/cli-error.ts";
import { poll } from "../http/poll.ts";
import type { CloudContext } from "./cloud-context.ts";
import type { Cloud } from "./cloud.ts";

/** No offer is made for these: they enable APIs, or a command can do without them. */
const EXEMPT: ReadonlySet<string | symbol> = new Set(["plan", "enable", "projectPolicy"]);

/** Google: "If you enabled this API recently, wait a few minutes for the action to propagate". */
const PROPAGATION_TIMEOUT_MS = 180_000;

/** The control plane, with an offer to enable an API that a verb needs. If no one can be asked, the verb fails with a hint. */
export function offerEnabling(cloud: Cloud, { terminal, signal }: Pick<CloudContext, "terminal" | "signal">): Cloud {
  const answers = new Map<string, Promise<boolean>>();
  const enable = async (project: string, api: string): Promise<boolean> => {
    if (!(await terminal.offer(`${api} isn't enabled in project ${project}. Enable it?`))) return false;
    const text = { running: `Enabling ${api}`, done: `Enabled ${api}`, failed: `Couldn't enable ${api}` };
    await terminal.step(text, () => cloud.enable({ project, apis: [api] }));
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
        if (!(await answer)) throw (error as CliError).with({ hint: "To enable it, run the command again with --yes.", next: [] });
        return undefined;
      }
    };
    const polling = { signal, firstPauseMs: 1000, maxPauseMs: 10_000, timeoutMs: PROPAGATION_TIMEOUT_MS };
    const waiting = "Waiting for the API to become available (up to 3 minutes)";
    const outcome = (await attempt()) ?? (await terminal.wait(waiting, () => poll(attempt, polling)));
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

function missingApi(error: unknown): { readonly project: string; readonly api: string } | undefined {
  if (!(error instanceof CliError) || error.reason !== "API_NOT_ENABLED" || error.subject?.kind !== "api") return undefined;
  const { name: api, project } = error.subject;
  return project === undefined ? undefined : { project, api };
}
