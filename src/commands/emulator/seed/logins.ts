import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Context } from "../../../context/context.ts";
import type { EmulatorStatus } from "../../../emulator/index.ts";
import { requestEmulator } from "../../../context/emulator-client.ts";
import { writePrivateFile } from "../../../settings/private-files.ts";
import { conflict } from "./key-files.ts";

/** The prefix of an emulator's refresh tokens; Google's don't have it. */
const EMULATOR_TOKEN_PREFIX = "1//0emulator-";

/** Lists the email addresses of an emulator's users. */
export async function listUsers(context: Pick<Context, "send">, running: EmulatorStatus): Promise<string[]> {
  const { users } = await requestEmulator<{ readonly users: readonly { readonly email: string }[] }>(context, running, {
    method: "GET",
    path: "/_emulator/users",
  });
  return users.map(({ email }) => email);
}

/** Makes sure that a user exists; true if it was created. */
export async function ensureUser(context: Pick<Context, "send">, running: EmulatorStatus, email: string): Promise<boolean> {
  if ((await listUsers(context, running)).includes(email)) return false;
  await requestEmulator(context, running, { method: "POST", path: "/_emulator/users", body: { email } });
  return true;
}

/**
 * Makes sure that a file (0600) has a valid login of a user, in gcloud's format; true if it was written. Replaces only a login that an emulator
 * created and no longer knows: throws CONFLICT for any other file.
 */
export async function ensureLogin(context: Pick<Context, "send">, running: EmulatorStatus, email: string, path: string): Promise<boolean> {
  const existing = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw conflict(path, `can't be read (${error.code})`);
  });
  if (existing !== undefined) {
    const login = parse(existing);
    if (!String(login.refresh_token).startsWith(EMULATOR_TOKEN_PREFIX) || login.account !== email)
      throw conflict(path, `isn't an emulator login for ${email}`);
    if (await isKnown(context, running, login)) return false;
  }
  const login = await requestEmulator(context, running, { method: "POST", path: "/_emulator/logins", body: { email } });
  await mkdir(dirname(path), { recursive: true });
  writePrivateFile(path, `${JSON.stringify(login, null, 2)}\n`);
  return true;
}

async function isKnown(context: Pick<Context, "send">, running: EmulatorStatus, login: Login): Promise<boolean> {
  const body = { refresh_token: login.refresh_token };
  const { known } = await requestEmulator<{ known: boolean }>(context, running, { method: "POST", path: "/_emulator/logins/check", body });
  return known;
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
