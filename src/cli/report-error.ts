import { createFormatCommand, quoteCommand } from "../context/format-command.ts";
import type { ProcessIo } from "../context/process-io.ts";
import { CliError } from "../errors/cli-error.ts";
import { redact } from "../errors/redact.ts";
import { openColors } from "../terminal/color.ts";

/**
 * Prints an error on stderr (nothing else does), and returns its exit code. Under `--json` the last line is the error as JSON. On GitHub Actions
 * the error is an annotation too. An error that isn't a CliError is a bug and is printed with its stack; Ctrl-C prints nothing.
 */
export async function reportError(
  error: unknown,
  io: Pick<ProcessIo, "stderr" | "env" | "self" | "cwd">,
  argv: readonly string[],
): Promise<number> {
  const { stderr, env } = io;
  const hasFlag = (...flags: readonly string[]) => flags.some((flag) => argv.includes(flag));
  const failure = error instanceof CliError ? error : describeBug(error);
  const { code, message, hint, details, exitCode } = failure;
  const formatCommand = createFormatCommand(io, argv);
  const next = failure.next.map((step) => ({ text: step.text, command: formatCommand(step) }));
  const help = [...(hint ? [hint] : []), ...next.flatMap(({ text, command }) => [`${text}:`, `  ${quoteCommand(command)}`])];
  const colors = await openColors({ stream: stderr, env, color: !hasFlag("--no-color") });
  const print = (line: string) => void stderr.write(`${line}\n`);
  const printRedacted = (text: string) => print(redact(text));

  if (code !== "INTERRUPTED") {
    printRedacted(`${colors ? colors.red.bold("Error:") : "Error:"} ${message}${code === "BUG" ? "" : ` [${code}]`}`);
    for (const line of help) printRedacted(line.replace(/^(?=.)/gm, "  "));
  }
  if (code === "BUG") printRedacted(error instanceof Error ? (error.stack ?? message) : message);
  if (hasFlag("-v", "--verbose") || code === "BUG") for (const cause of causesOf(error)) printRedacted(`Cause: ${cause}`);
  // https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-error-message
  if (env.GITHUB_ACTIONS === "true")
    print(`::error title=cloudrun-oauth ${code}::${escapeWorkflowCommand(redact([message, ...help].join("\n")))}`);
  // Each string is redacted by itself: redacting the document could remove a part of its syntax.
  const redactString = (_: string, value: unknown) => (typeof value === "string" ? redact(value) : value);
  if (hasFlag("--json", "--format=json") || argv[argv.indexOf("--format") + 1] === "json")
    print(JSON.stringify({ error: { code, message, hint: hint ?? null, next, exit_code: exitCode, details } }, redactString));
  return exitCode;
}

function describeBug(error: unknown): CliError {
  const message = error instanceof Error ? error.message : String(error);
  return new CliError("BUG", message, { hint: "This is a bug in cloudrun-oauth. Please report it with the lines below." });
}

function* causesOf(error: unknown): Generator<string> {
  for (let cause = (error as Error)?.cause; cause !== undefined && cause !== null; cause = (cause as Error).cause) {
    yield cause instanceof Error ? cause.message : String(cause);
  }
}

function escapeWorkflowCommand(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
