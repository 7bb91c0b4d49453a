import { CliError } from "../../errors/cli-error.ts";
import { explainControlPlane } from "../errors/control-plane.ts";
import type { FailedCall } from "../errors/known-error.ts";

interface GcloudFailure {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
  readonly args: readonly string[];
}

/** The error for gcloud's output; GCLOUD_FAILED with gcloud's words if they aren't known. */
export function readGcloudError({ stdout, stderr, exitCode, args }: GcloudFailure): CliError {
  // A build can print anything, so only gcloud's own stderr is read, and stdout only if stderr is empty.
  const text = stderr.trim() || stdout.trim();
  const message = text.slice(Math.max(0, text.lastIndexOf("ERROR:")));
  const sentence = errorSentence(message);
  const call: FailedCall = {
    via: "gcloud",
    project: valueOf(args, "--project") ?? "PROJECT",
    region: valueOf(args, "--region") ?? valueOf(args, "--location") ?? "REGION",
    sentence,
    account: /authenticated as (\S+@\S+)|\[(\S+@\S+)\] does not have permission/.exec(message)?.slice(1).find(Boolean),
  };
  const known = explainControlPlane(message, call, new Error(text));
  if (known) return known;
  // https://cloud.google.com/sdk/gcloud/reference/topic/command-conventions: 2 is a command line that gcloud does not understand.
  if (exitCode === 2)
    return new CliError("USAGE", `gcloud rejected the command line: ${sentence}`, {
      hint: "Check the flags after --. Older versions of gcloud don't support all flags.",
    });
  return new CliError("GCLOUD_FAILED", `gcloud failed: ${sentence || `exit code ${exitCode ?? "unknown"}`}`, { cause: new Error(text) });
}

/** gcloud's error message without the command's name, with its continuation lines; without an error message, the last line. */
function errorSentence(message: string): string {
  const [paragraph = ""] = message.startsWith("ERROR:") ? message.split(/\n\s*\n|\n(?=[A-Z-]|@type)/) : message.split("\n").slice(-1);
  const account = / This command is authenticated as [^\s]+ which is the active account specified by the \[core\/account\] property\.?/;
  return paragraph
    .replace(/^ERROR:\s*(?:\([\w.-]+\)\s*)?(?:[A-Z_]+: )?/, "")
    .replaceAll(/\s*\n\s*/g, " ")
    .replace(account, "")
    .trim();
}

function valueOf(args: readonly string[], flag: string): string | undefined {
  const at = args.indexOf(flag);
  return at < 0 ? undefined : args[at + 1];
}

export function gcloudMissing(): CliError {
  return new CliError("GCLOUD_MISSING", "gcloud not found on PATH.", {
    hint: "Install gcloud (https://cloud.google.com/sdk/docs/install), or pass --via api.",
  });
}
