import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { CliError } from "../../errors/cli-error.ts";
import type { AuthContext } from "../auth-context.ts";
import type { FieldReader } from "../field-reader.ts";
import { parseJsonObject, type JsonObject } from "../json-object.ts";
import { toOneLine } from "../../errors/one-line.ts";

interface Federation {
  readonly audience: string;
  readonly subjectTokenType: string;
  readonly account: string | undefined;
}

const PERMISSION_VARIABLE = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";
const TIMEOUT_MS = { least: 5000, usual: 30_000, most: 120_000 };
/** The output is one token. */
const MAX_OUTPUT_BYTES = 1024 * 1024;

/** A token that a program prints: https://google.aip.dev/auth/4117#determining-the-subject-token-in-executable-sourced-credentials */
export function readExecutableSource(executable: FieldReader, federation: Federation, { env, signal, now = Date.now }: AuthContext) {
  const [program = "", ...words] = (executable.public("command", /^[^\r\n]+$/).match(/(?:[^\s"]+|"[^"]*")+/g) ?? []).map((word) =>
    word.replace(/^"(.*)"$/, "$1"),
  );
  const timeoutMs = Math.min(Math.max(executable.optionalNumber("timeout_millis") ?? TIMEOUT_MS.usual, TIMEOUT_MS.least), TIMEOUT_MS.most);
  const file = executable.optionalText("output_file");
  const from = `the program ${program}`;
  const variables = {
    GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: federation.audience,
    GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE: federation.subjectTokenType,
    GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE: "0",
    ...(file && { GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE: file }),
    ...(federation.account && { GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL: federation.account }),
  };
  return {
    from,
    async supply(): Promise<string> {
      if (env[PERMISSION_VARIABLE] !== "1") {
        throw new CliError("CREDENTIALS_INVALID", `The credential file runs an executable (${program}).`, {
          hint: `If you trust the file, set ${PERMISSION_VARIABLE}=1 to allow it.`,
        });
      }
      const cached = file === undefined ? undefined : parseJsonObject(await readFile(file, "utf8").catch(() => ""));
      if (cached && isValid(cached, now())) return tokenOf(cached, from, now());
      return tokenOf(parseJsonObject(await run(program, words, { env: { ...env, ...variables }, signal, timeoutMs, from })), from, now());
    },
  };
}

interface Run {
  readonly env: AuthContext["env"];
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly from: string;
}

/** Runs the program and returns its output. Its stderr isn't shown: it can contain secrets. */
function run(program: string, words: readonly string[], { env, signal, timeoutMs, from }: Run): Promise<string> {
  const failed = (how: string, hint = "To see why, run it yourself.") =>
    new CliError("TOKEN_REFUSED", `${from.replace(/^t/, "T")}, which provides the workload's token, ${how}.`, { hint });
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { env, stdio: ["ignore", "pipe", "ignore"] });
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (error: unknown) => {
      reject(error);
      child.kill("SIGKILL");
      // Its own child processes can keep running, with the other end open.
      child.stdout.destroy();
    };
    const abort = () => stop(signal?.reason);
    signal?.addEventListener("abort", abort);
    const cleanUp = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    const timer = setTimeout(() => stop(failed(`timed out after ${timeoutMs / 1000} s`)), timeoutMs);
    child.stdout.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_OUTPUT_BYTES) stop(failed("printed more than a token"));
    });
    child.once("error", ({ code }: NodeJS.ErrnoException) => {
      cleanUp();
      reject(failed(`can't be started: ${code}`, "Use its absolute path in credential_source.executable.command."));
    });
    child.once("close", (code, signal) => {
      cleanUp();
      if (code === 0) resolve(Buffer.concat(chunks).toString("utf8"));
      else reject(failed(signal ? `was stopped by ${signal}` : `failed with exit code ${code}`));
    });
  });
}

function isValid({ success, expiration_time: end }: JsonObject, now: number): boolean {
  return success === true && typeof end === "number" && end * 1000 > now;
}

function tokenOf(response: JsonObject | undefined, from: string, now: number): string {
  const refused = (how: string) => new CliError("TOKEN_REFUSED", `${from.replace(/^t/, "T")} ${how}.`);
  if (!response || response["version"] !== 1 || typeof response["success"] !== "boolean") throw refused("printed an invalid response");
  if (!response["success"])
    throw refused(
      `returned no token: ${toOneLine(response["message"]) || "no reason given"} (${toOneLine(response["code"]) || "no code"})`,
    );
  if (typeof response["expiration_time"] === "number" && !isValid(response, now)) throw refused("returned an expired token");
  const token = response["token_type"] === "urn:ietf:params:oauth:token-type:saml2" ? response["saml_response"] : response["id_token"];
  if (typeof token === "string" && token !== "") return token;
  throw refused("reported success but returned no token");
}
