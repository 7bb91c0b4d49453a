import type { Readable, Writable } from "node:stream";
import { CliError } from "../errors/cli-error.ts";
import type { Progress } from "./progress.ts";

interface AskOptions {
  /** The flag that answers the question on the command line. */
  readonly flag: string;
  readonly initial?: string;
  /** What is wrong with an answer, as a sentence. */
  readonly fault?: (answer: string) => string | undefined;
}

export interface Choice {
  readonly value: string;
  readonly label?: string;
  /** Shown next to the choice while it is highlighted. */
  readonly hint?: string;
}

export interface Prompts {
  confirm(question: string): Promise<boolean>;
  offer(question: string): Promise<boolean>;
  confirmName(question: string, name: string): Promise<boolean>;
  ask(question: string, options: AskOptions): Promise<string>;
  choose(question: string, options: { flag: string; choices: readonly Choice[] }): Promise<string>;
}

interface PromptOptions {
  /** The streams of the prompts; read when something is asked. */
  readonly streams: () => { readonly input: Readable; readonly output: Writable; readonly signal?: AbortSignal };
  readonly interactive: boolean;
  readonly yes: boolean;
  readonly progress: Progress;
}

export function createPrompts({ streams, interactive, yes, progress }: PromptOptions): Prompts {
  const askYesOrNo = (question: string) =>
    progress.pause(async () => {
      const { confirm, isCancel } = await import("@clack/prompts");
      const answer = await confirm({ message: question, initialValue: false, ...streams() });
      if (isCancel(answer)) throw interrupted();
      return answer;
    });
  const askLine = (question: string, { initial, fault }: Omit<AskOptions, "flag">) =>
    progress.pause(async () => {
      const { isCancel, text } = await import("@clack/prompts");
      const answer = await text({ message: question, initialValue: initial, validate: (line) => fault?.(line ?? ""), ...streams() });
      if (isCancel(answer)) throw interrupted();
      return answer ?? "";
    });

  return {
    async confirm(question) {
      if (yes) return true;
      if (!interactive) throw unanswered("--yes");
      return askYesOrNo(question);
    },
    offer: async (question) => yes || (interactive && askYesOrNo(question)),
    async confirmName(question, name) {
      if (yes) return true;
      if (!interactive) throw unanswered("--yes");
      return (await askLine(`${question} Type its name to confirm:`, {})).trim() === name;
    },
    async ask(question, { flag, initial, fault }) {
      if (yes && initial !== undefined) return initial;
      if (!interactive) throw unanswered(flag);
      return askLine(question, { initial, fault });
    },
    async choose(question, { flag, choices }) {
      if (yes && choices[0]) return choices[0].value;
      if (!interactive) throw unanswered(flag);
      return progress.pause(async () => {
        const { isCancel, select } = await import("@clack/prompts");
        const answer = await select({ message: question, options: [...choices], maxItems: 8, ...streams() });
        if (isCancel(answer)) throw interrupted();
        return answer;
      });
    },
  };
}

function unanswered(flag: string): CliError {
  const [message, hint] =
    flag === "--yes"
      ? ["Can't ask for confirmation in a non-interactive session.", "To confirm, pass --yes."]
      : ["Can't ask questions in a non-interactive session.", `Pass ${flag}.`];
  return new CliError("USAGE", message, { hint });
}

function interrupted(): CliError {
  return new CliError("INTERRUPTED", "Interrupted.");
}
