import type { StepText, Tell } from "../../terminal/progress.ts";
import type { Terminal } from "../../terminal/terminal.ts";

/** Does the work of a step while it is shown; a step that only reads has one text, and leaves no line. */
export type RunStep = <T>(name: string, text: StepText<T> | string, work: (tell: Tell) => Promise<T>) => Promise<T>;

interface TimedSteps {
  readonly runStep: RunStep;
  readonly taken: readonly { readonly name: string; readonly ms: number }[];
}

export function createTimedSteps(terminal: Pick<Terminal, "step" | "wait">): TimedSteps {
  const taken: { name: string; ms: number }[] = [];
  return {
    taken,
    async runStep(name, text, work) {
      const startedMs = performance.now();
      try {
        return await (typeof text === "string" ? terminal.wait(text, work) : terminal.step(text, work));
      } finally {
        taken.push({ name, ms: Math.round(performance.now() - startedMs) });
      }
    },
  };
}
