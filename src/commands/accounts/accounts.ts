import { resolveAccountEmail, type Account, type NewAccount } from "../../cloud/accounts.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { printPlan } from "../../context/print-plan.ts";

/** Creates a service account; an existing one stays as it is. */
export async function accountsCreate(context: Context, name: string, flags: { readonly displayName?: string }): Promise<void> {
  const { settings, terminal } = context;
  const project = settings.require("project");
  const account = resolveAccountEmail(name, project);
  if (account !== resolveAccountEmail(account.split("@")[0] ?? "", project))
    throw new CliError("USAGE", `${account} would not be an account of project ${project}.`, {
      hint: `Say its name alone, or its project too: -p PROJECT`,
    });
  const options = { project, account, ...(flags.displayName !== undefined && { displayName: flags.displayName }) };
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("createAccount", options));
  const result = await terminal.task(`Making the service account ${account}`, () => createOrRead(cloud, options));
  if (!result.created) terminal.note(`${account} is there already, and stays as it is.`);
  if (terminal.json) return terminal.printJson(result);
  terminal.printTable([
    ["ACCOUNT", result.account],
    ...(result.display_name === null ? [] : [["DISPLAY NAME", result.display_name]]),
    ...(result.disabled ? [["STATE", "disabled"]] : []),
  ]);
}

async function createOrRead(cloud: Cloud, options: NewAccount): Promise<Account & { readonly created: boolean }> {
  try {
    return { ...(await cloud.createAccount(options)), created: true };
  } catch (error) {
    if (!(error instanceof CliError && error.code === "CONFLICT")) throw error;
    return { ...(await cloud.account(options)), created: false };
  }
}

/** Shows the service accounts of a project. */
export async function accountsList(context: Context): Promise<void> {
  const { settings, terminal } = context;
  const project = settings.require("project");
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("listAccounts", { project }));
  const accounts = await terminal.task(`Reading the service accounts of ${project}`, () => cloud.listAccounts({ project }));
  if (terminal.json) return terminal.printJson({ project, accounts });
  if (accounts.length === 0) return terminal.note(`Project ${project} has no service accounts.`);
  terminal.printTable([
    ["ACCOUNT", "STATE", "DISPLAY NAME"],
    ...accounts.map(({ account, disabled, display_name }) => [account, disabled ? "disabled" : "enabled", display_name ?? ""]),
  ]);
}

/** Asks, and deletes a service account with its keys. */
export async function accountsDelete(context: Context, name: string): Promise<void> {
  const { settings, terminal } = context;
  const project = settings.require("project");
  const options = { project, account: resolveAccountEmail(name, project) };
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("deleteAccount", options));
  const question = `Delete the service account ${options.account}? Its keys end with it, and so does what runs as it.`;
  if (!(await terminal.confirm(question))) return terminal.note("Nothing was deleted.");
  await terminal.task(`Deleting ${options.account}`, () => cloud.deleteAccount(options));
  if (terminal.json) return terminal.printJson({ account: options.account, project, deleted: true });
  terminal.printTable([["DELETED", options.account]]);
}
