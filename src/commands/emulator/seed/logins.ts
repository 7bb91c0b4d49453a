import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Context } from "../../../context/context.ts";
import type { EmulatorStatus } from "../../../emulator/index.ts";
import { CliError } from "../../../errors/cli-error.ts";
import { writePrivateFile } from "../../../settings/private-files.ts";

/** What an emulator's logins begin with; Google's do not. */
const OURS = "1//0emulator-";

/** The e-mail addresses of the people that an emulator knows. */
export async function listUsers({ send }: Pick<Context, "send">, { url }: EmulatorStatus): Promise<string[]> {
  const answer = await send({ method: "GET", url: `${url}/_emulator/users` });
  return ((await answer.json()) as { readonly users: readonly { readonly email: string }[] }).users.map(({ email }) => email);
}

/** Sees to it that there is a person; true where one was made. */
export async function ensureUser(context: Pick<Context, "send">, running: EmulatorStatus, email: string): Promise<boolean> {
  if ((await listUsers(context, running)).includes(email)) return false;
  await ask(context, running, "users", { email });
  return true;
}

/**
 * Sees to it that a file (0600) holds a person's login, as gcloud leaves one; true where one was made. A file that is there is replaced only where
 * an emulator wrote it that has forgotten it: throws CONFLICT for any other.
 */
export async function provideLogin(context: Pick<Context, "send">, running: EmulatorStatus, email: string, path: string): Promise<boolean> {
  const found = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw inTheWay(path, `cannot be read: ${error.code}`);
  });
  if (found !== undefined) {
    const login = parse(found);
    if (!String(login.refresh_token).startsWith(OURS) || login.account !== email)
      throw inTheWay(path, `is no login of ${email} that an emulator made`);
    if (await isKnown(context, running, login)) return false;
  }
  const text = `${JSON.stringify(await ask(context, running, "logins", { email }), null, 2)}\n`;
  await mkdir(dirname(path), { recursive: true });
  writePrivateFile(path, text);
  return true;
}

async function isKnown(context: Pick<Context, "send">, running: EmulatorStatus, login: Login): Promise<boolean> {
  const { known } = (await ask(context, running, "logins/check", { refresh_token: login.refresh_token })) as { readonly known: boolean };
  return known;
}

async function ask({ send }: Pick<Context, "send">, { url }: EmulatorStatus, path: string, body: object): Promise<unknown> {
  const answer = await send({
    method: "POST",
    url: `${url}/_emulator/${path}`,
    headers: [["X-Cloudrun-Oauth", "emulator"]],
    body: JSON.stringify(body),
  });
  const found = (await answer.json()) as { readonly error?: { readonly message: string } };
  if (answer.status === 200) return found;
  throw new CliError("USAGE", found.error?.message ?? `The emulator answered ${answer.status}.`);
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

function inTheWay(path: string, what: string): CliError {
  return new CliError("CONFLICT", `${path} ${what}.`, { hint: "Name another file in the seed file, or move this one away" });
}
