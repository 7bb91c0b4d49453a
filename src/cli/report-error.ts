import type { ProcessIo } from "../context/process-io.ts";
import { CliError } from "../errors/cli-error.ts";
import { EXIT_CODES } from "../errors/exit-codes.ts";
import { redact } from "../errors/redact.ts";
import { openPaint } from "../terminal/terminal.ts";

/**
 * Prints an error on stderr (nothing else does), and returns its exit code. Under `--json` the last line is the error as JSON. On GitHub Actions
 * the error is an annotation too. An error that isn't a CliError is a bug and is printed with its stack.
 */
export async function reportError(
  error: unknown,
  { stderr, env }: Pick<ProcessIo, "stderr" | "env">,
  argv: readonly string[],
): Promise<number> {
  const hasFlag = (...flags: readonly string[]) => flags.some((flag) => argv.includes(flag));
  const failure = error instanceof CliError ? error : describeBug(error);
  const { code, message, details, exitCode } = failure;
  // A suggested command uses the emulator if the failed one did.
  const hint = hasFlag("--emulator")
    ? failure.hint?.replace(/\bcloudrun-oauth (?!emulator\b|--)/g, "cloudrun-oauth --emulator ")
    : failure.hint;
  const paint = await openPaint({ stderr, env, color: !hasFlag("--no-color") });
  const print = (line: string) => void stderr.write(`${line}\n`);
  const printRedacted = (text: string) => print(redact(text));

  printRedacted(`${paint ? paint.red.bold("error:") : "error:"} ${message}${code === "BUG" ? "" : ` [${code}]`}`);
  if (hint) printRedacted(`${paint ? paint.cyan("hint:") : "hint:"} ${hint}`);
  if (code === "BUG") printRedacted(error instanceof Error ? (error.stack ?? message) : message);
  if (hasFlag("-v", "--verbose") || code === "BUG") for (const cause of causesOf(error)) printRedacted(`cause: ${cause}`);
  // https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-error-message
  if (env.GITHUB_ACTIONS === "true")
    print(`::error title=cloudrun-oauth ${code}::${escapeWorkflowCommand(redact(hint ? `${message}\n${hint}` : message))}`);
  // Each string is redacted by itself: redacting the document could remove a part of its syntax.
  const redactString = (_: string, value: unknown) => (typeof value === "string" ? redact(value) : value);
  if (hasFlag("--json"))
    print(JSON.stringify({ error: { code, message, hint: hint ?? null, exit_code: exitCode, details } }, redactString));
  return exitCode;
}

function describeBug(error: unknown) {
  const message = error instanceof Error ? error.message : String(error);
  const hint = "This is a bug in cloudrun-oauth: please report it, with the lines below.";
  return { code: "BUG", message, hint, details: {}, exitCode: EXIT_CODES.BUG } as const;
}

function* causesOf(error: unknown): Generator<string> {
  for (let cause = (error as Error)?.cause; cause !== undefined && cause !== null; cause = (cause as Error).cause) {
    yield cause instanceof Error ? cause.message : String(cause);
  }
}

function escapeWorkflowCommand(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
