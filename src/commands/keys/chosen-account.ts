import { accountEmail, type AccountName } from "../../cloud/accounts.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";

/** The service account that is named, or else the one that is set as the member. Throws USAGE where there is none. */
export function chosenAccount({ settings }: Pick<Context, "settings">, named: string | undefined): AccountName {
  const project = settings.require("project");
  const member = settings.get("member")?.value.replace(/^serviceAccount:/, "");
  const account = named ?? (member?.endsWith(".gserviceaccount.com") ? member : undefined);
  if (account === undefined)
    throw new CliError("USAGE", "No service account is named.", {
      hint: `Say --account NAME@${project}.iam.gserviceaccount.com; see those that are: cloudrun-oauth accounts list`,
    });
  return { project, account: accountEmail(account, project) };
}
