import type { Context } from "../../context/context.ts";

/** Takes a step under a title, and times it. */
export type Step = <T>(name: string, title: string, work: () => Promise<T>) => Promise<T>;

export interface Steps {
  readonly step: Step;
  /** The steps that have been taken; `ms` is milliseconds. */
  readonly taken: readonly { readonly name: string; readonly ms: number }[];
  /** Notes a step that was taken elsewhere. */
  note(name: string, started: number): void;
}

/** The steps of a road, each shown with its time. */
export function createSteps(terminal: Pick<Context["terminal"], "task">): Steps {
  const taken: { name: string; ms: number }[] = [];
  const note: Steps["note"] = (name, started) => void taken.push({ name, ms: Math.round(performance.now() - started) });
  return {
    taken,
    note,
    async step(name, title, work) {
      const started = performance.now();
      const result = await terminal.task(title, work);
      note(name, started);
      return result;
    },
  };
}
