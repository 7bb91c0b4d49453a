/** A command that helps after an error or continues after a success, as data: how it is printed depends on how the tool was started. */
export interface NextStep {
  /** What the command is for, as the beginning of a sentence: "To grant access". */
  readonly text: string;
  /** The arguments after the program's name. Global flags of the command that ran are added when it is printed. */
  readonly command: readonly string[];
  /** The program, if it is not this tool: "gcloud", "chmod". */
  readonly program?: string;
  /** True if a shell must evaluate what the command prints: `eval "$(…)"`. Only next steps after a success can have it. */
  readonly isEvaluated?: true;
}

/** A step that runs this tool: `nextStep("To list services", "list")`. */
export function nextStep(text: string, ...command: readonly string[]): NextStep {
  return { text, command };
}

/** A step that runs another program: `externalStep("To sign in", "gcloud", "auth", "login")`. */
export function externalStep(text: string, program: string, ...command: readonly string[]): NextStep {
  return { text, command, program };
}
