import type { Terminal } from "../../terminal/terminal.ts";

/** Does the work of a step while its title is shown. */
export type RunStep = <T>(name: string, title: string, work: () => Promise<T>) => Promise<T>;

interface TimedSteps {
  readonly runStep: RunStep;
  /** The steps that have been taken; `ms` is milliseconds. */
  readonly taken: readonly { readonly name: string; readonly ms: number }[];
  /** Adds a step that was done elsewhere; `startedMs` is on the clock of `performance.now()`. */
  add(name: string, startedMs: number): void;
}

/** Shows each step and records its duration. */
export function createTimedSteps(terminal: Pick<Terminal, "task">): TimedSteps {
  const taken: { name: string; ms: number }[] = [];
  const add = (name: string, startedMs: number) => void taken.push({ name, ms: Math.round(performance.now() - startedMs) });
  return {
    taken,
    add,
    async runStep(name, title, work) {
      const startedMs = performance.now();
      const result = await terminal.task(title, work);
      add(name, startedMs);
      return result;
    },
  };
}
