import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { CliError } from "../../errors/cli-error.ts";
import { openLoginFile } from "./login-file.ts";

const REVOCATION_ENDPOINT = "https://oauth2.googleapis.com/revoke";

/** Revokes the login in Application Default Credentials (RFC 7009) and deletes it. Throws CliError NOT_FOUND if there is none. */
export async function logout({ terminal, env, send, dryRun }: Context): Promise<void> {
  const file = openLoginFile(env);
  const token = file.readRefreshToken();
  if (token === undefined) throw new CliError("NOT_FOUND", `No login found in ${file.path}.`);
  if (dryRun) return printPlan(terminal, [`POST ${REVOCATION_ENDPOINT}`, `Delete ${file.path}`]);
  terminal.note(`This revokes the login in ${file.path}, which other tools use too.`);
  if (!(await terminal.confirm("Sign out?"))) return terminal.note("Nothing was changed.");
  const isRevoked = await terminal.wait("Revoking the login", async () => {
    const headers = [["Content-Type", "application/x-www-form-urlencoded"]] as const;
    const body = new URLSearchParams({ token }).toString();
    return (await send({ method: "POST", url: REVOCATION_ENDPOINT, headers, body })).status === 200;
  });
  file.remove();
  if (terminal.json) return terminal.printJson({ file: file.path, revoked: isRevoked });
  terminal.note(isRevoked ? "Signed out" : "Signed out. The login was already revoked or expired.");
}
