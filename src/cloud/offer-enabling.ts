import { setTimeout as sleep } from "node:timers/promises";
import type { CloudContext } from "./cloud-context.ts";
import { CliError } from "../errors/cli-error.ts";
import type { Cloud } from "./cloud.ts";

/** What is no reason to enable anything: what is only looked at in passing, and what enables. */
const ASIDE = new Set(["plan", "enable", "projectPolicy"]);

/** Milliseconds. Google: "If you enabled this API recently, wait a few minutes for the action to propagate". */
const PATIENCE = 180_000;

/**
 * The control plane, where a step that needs an API which is not enabled offers to enable it, and goes on. Nobody is asked where nobody can answer:
 * there the step fails with the command that enables it.
 */
export function offerEnabling(cloud: Cloud, { terminal, signal }: Pick<CloudContext, "terminal" | "signal">): Cloud {
  const enabled = new Map<string, Promise<boolean>>();
  const enable = async (project: string, api: string): Promise<boolean> => {
    if (!(await terminal.offer(`${api} is not enabled in project ${project}. Enable it?`))) return false;
    await terminal.task(`Enabling ${api}`, () => cloud.enable({ project, apis: [api] }));
    return true;
  };

  const step = async <T>(run: () => Promise<T>): Promise<T> => {
    let since: number | undefined;
    for (let pause = 1000; ; pause = Math.min(pause * 1.5, 10_000)) {
      try {
        return await run();
      } catch (error) {
        const needed = neededBy(error);
        if (!needed) throw error;
        const key = `${needed.project} ${needed.api}`;
        const isNew = !enabled.has(key);
        // Several steps at once may need the same one: it is asked about once.
        if (isNew) enabled.set(key, enable(needed.project, needed.api));
        if (!(await enabled.get(key))) throw withAnswer(error as CliError);
        since ??= performance.now();
        if (performance.now() - since > PATIENCE) throw error;
        if (!isNew) await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
  };

  return Object.fromEntries(
    Object.entries(cloud).map(([name, verb]) =>
      typeof verb !== "function" || ASIDE.has(name)
        ? [name, verb]
        : [name, (options: never) => step(() => (verb as (options: never) => Promise<unknown>)(options))],
    ),
  ) as unknown as Cloud;
}

/** The API that a step lacks, where that is what it failed for. */
function neededBy(error: unknown): { readonly project: string; readonly api: string } | undefined {
  if (!(error instanceof CliError) || error.reason !== "API_NOT_ENABLED" || error.subject?.kind !== "api") return undefined;
  const { name: api, project } = error.subject;
  return project === undefined ? undefined : { project, api };
}

function withAnswer(error: CliError): CliError {
  return error.with({ hint: `${error.hint ?? ""} — or run this again with --yes, which does it.` });
}
