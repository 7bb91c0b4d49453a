import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Context } from "../../../context/context.ts";
import type { EmulatorStatus } from "../../../emulator/index.ts";
import { CliError } from "../../../errors/cli-error.ts";
import { writePrivateFile } from "../../../settings/private-files.ts";

/** The prefix of an emulator's refresh tokens; Google's don't have it. */
const EMULATOR_TOKEN_PREFIX = "1//0emulator-";

/** Lists the email addresses of an emulator's users. */
export async function listUsers({ send }: Pick<Context, "send">, { url }: EmulatorStatus): Promise<string[]> {
  const answer = await send({ method: "GET", url: `${url}/_emulator/users` });
  return ((await answer.json()) as { readonly users: readonly { readonly email: string }[] }).users.map(({ email }) => email);
}

/** Makes sure that a user exists; true if it was created. */
export async function ensureUser(context: Pick<Context, "send">, running: EmulatorStatus, email: string): Promise<boolean> {
  if ((await listUsers(context, running)).includes(email)) return false;
  await callAdmin(context, running, "users", { email });
  return true;
}

/**
 * Makes sure that a file (0600) has a valid login of a user, in gcloud's format; true if it was written. Replaces only a login that an emulator
 * created and no longer knows: throws CONFLICT for any other file.
 */
export async function ensureLogin(context: Pick<Context, "send">, running: EmulatorStatus, email: string, path: string): Promise<boolean> {
  const existing = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw conflict(path, `cannot be read: ${error.code}`);
  });
  if (existing !== undefined) {
    const login = parse(existing);
    if (!String(login.refresh_token).startsWith(EMULATOR_TOKEN_PREFIX) || login.account !== email)
      throw conflict(path, `is no login of ${email} that an emulator made`);
    if (await isKnown(context, running, login)) return false;
  }
  const text = `${JSON.stringify(await callAdmin(context, running, "logins", { email }), null, 2)}\n`;
  await mkdir(dirname(path), { recursive: true });
  writePrivateFile(path, text);
  return true;
}

async function isKnown(context: Pick<Context, "send">, running: EmulatorStatus, login: Login): Promise<boolean> {
  const { known } = (await callAdmin(context, running, "logins/check", { refresh_token: login.refresh_token })) as {
    readonly known: boolean;
  };
  return known;
}

async function callAdmin({ send }: Pick<Context, "send">, { url }: EmulatorStatus, path: string, body: object): Promise<unknown> {
  const response = await send({
    method: "POST",
    url: `${url}/_emulator/${path}`,
    headers: [["X-Cloudrun-Oauth", "emulator"]],
    body: JSON.stringify(body),
  });
  const result = (await response.json()) as { readonly error?: { readonly message: string } };
  if (response.status === 200) return result;
  throw new CliError("USAGE", result.error?.message ?? `The emulator answered ${response.status}.`);
}

interface Login {
  readonly account?: unknown;
  readonly refresh_token?: unknown;
}

function parse(text: string): Login {
  try {
    return (JSON.parse(text) ?? {}) as Login;
  } catch {
    return {};
  }
}

function conflict(path: string, what: string): CliError {
  return new CliError("CONFLICT", `${path} ${what}.`, { hint: "Name another file in the seed file, or move this one away" });
}
