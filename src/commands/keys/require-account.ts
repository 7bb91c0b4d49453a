import { resolveAccountEmail, type AccountName } from "../../cloud/accounts.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";

/** The service account that an option names, or else the one that the settings name as the member. Throws USAGE if neither does. */
export function requireAccount({ settings }: Pick<Context, "settings">, name: string | undefined): AccountName {
  const project = settings.require("project");
  const member = settings.get("member")?.value.replace(/^serviceAccount:/, "");
  const account = name ?? (member?.endsWith(".gserviceaccount.com") ? member : undefined);
  if (account === undefined)
    throw new CliError("USAGE", "No service account is named.", {
      hint: `Say --account NAME@${project}.iam.gserviceaccount.com; see those that are: cloudrun-oauth accounts list`,
    });
  return { project, account: resolveAccountEmail(account, project) };
}
