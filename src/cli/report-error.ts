import { CliError } from "../errors/cli-error.ts";
import { EXIT_CODES } from "../errors/exit-codes.ts";
import { redact } from "../errors/redact.ts";
import type { ProcessIo } from "../context/process-io.ts";
import { openPaint } from "../terminal/terminal.ts";

/**
 * Prints an error on stderr (nothing else does), and returns its exit code. Under `--json` the last line is the error as JSON. On GitHub Actions
 * the error is an annotation too. An error that isn't a CliError is a bug and is printed with its stack.
 */
export async function report(error: unknown, { stderr, env }: Pick<ProcessIo, "stderr" | "env">, argv: readonly string[]): Promise<number> {
  const has = (...flags: readonly string[]) => flags.some((flag) => argv.includes(flag));
  const { code, message, details, exitCode, ...told } = error instanceof CliError ? error : bug(error);
  // The command to run next acts where this one did.
  const hint = has("--emulator") ? told.hint?.replace(/\bcloudrun-oauth (?!emulator\b|--)/g, "cloudrun-oauth --emulator ") : told.hint;
  const paint = await openPaint({ stderr, env, color: !has("--no-color") });
  const print = (line: string) => void stderr.write(`${line}\n`);
  const say = (text: string) => print(redact(text));

  say(`${paint ? paint.red.bold("error:") : "error:"} ${message}${code === "BUG" ? "" : ` [${code}]`}`);
  if (hint) say(`${paint ? paint.cyan("hint:") : "hint:"} ${hint}`);
  if (code === "BUG") say(error instanceof Error ? (error.stack ?? message) : message);
  if (has("-v", "--verbose") || code === "BUG") for (const text of causes(error)) say(`cause: ${text}`);
  // https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-error-message
  if (env.GITHUB_ACTIONS === "true")
    print(`::error title=cloudrun-oauth ${code}::${escape(redact(hint ? `${message}\n${hint}` : message))}`);
  // Text by text, so that what is taken out of one is never a part of the JSON around it.
  const redacted = (_: string, value: unknown) => (typeof value === "string" ? redact(value) : value);
  if (has("--json")) print(JSON.stringify({ error: { code, message, hint: hint ?? null, exit_code: exitCode, details } }, redacted));
  return exitCode;
}

function bug(error: unknown) {
  const message = error instanceof Error ? error.message : String(error);
  const hint = "This is a bug in cloudrun-oauth: please report it, with the lines below.";
  return { code: "BUG", message, hint, details: {}, exitCode: EXIT_CODES.BUG } as const;
}

function* causes(error: unknown): Generator<string> {
  for (let cause = (error as Error)?.cause; cause !== undefined && cause !== null; cause = (cause as Error).cause) {
    yield cause instanceof Error ? cause.message : String(cause);
  }
}

function escape(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
