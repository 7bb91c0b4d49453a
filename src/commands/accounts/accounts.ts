import { resolveAccountEmail, type Account, type NewAccount } from "../../cloud/accounts.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";

/** Creates a service account; an existing one stays as it is. */
export async function accountsCreate(context: Context, name: string, { displayName }: { readonly displayName?: string }): Promise<void> {
  const { settings, terminal } = context;
  const project = settings.require("project");
  const account = resolveAccountEmail(name, project);
  const [id = ""] = account.split("@");
  if (account !== resolveAccountEmail(id, project))
    throw new CliError("USAGE", `${account} doesn't belong to project ${project}.`, {
      hint: "Pass an account ID, or the account's own project with --project.",
    });
  const options = { project, account, ...(displayName !== undefined && { displayName }) };
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("createAccount", options));
  const done = ({ created }: { created: boolean }) => (created ? `Created service account ${id}` : `Service account ${id} already exists`);
  const text = { running: `Creating service account ${id}`, done, failed: `Service account ${id} wasn't created` };
  const result = await terminal.step(text, () => createOrRead(cloud, options));
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

export async function accountsList(context: Context): Promise<void> {
  const { settings, terminal } = context;
  const project = settings.require("project");
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("listAccounts", { project }));
  const accounts = await terminal.wait("Listing service accounts", () => cloud.listAccounts({ project }));
  if (terminal.json) return terminal.printJson({ project, accounts });
  if (accounts.length === 0) {
    terminal.note(`No service accounts found in project ${project}.`);
    return terminal.nextSteps([nextStep("To create one", "accounts", "create", "ACCOUNT_ID")]);
  }
  const rows = accounts.map(({ account, disabled, display_name }) => {
    const state = disabled ? terminal.style("yellow", "disabled") : terminal.style("green", "enabled");
    return [account, state, display_name ?? ""];
  });
  terminal.printTable(rows, { header: ["account", "state", "display name"] });
}

/** Asks, and deletes a service account with its keys. */
export async function accountsDelete(context: Context, name: string): Promise<void> {
  const { settings, terminal } = context;
  const project = settings.require("project");
  const account = resolveAccountEmail(name, project);
  const [id = ""] = account.split("@");
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("deleteAccount", { project, account }));
  terminal.note(`This deletes service account ${account} and its keys. Services that run as it will stop working.`);
  if (!(await terminal.confirmName(`Delete service account ${id}?`, id))) return terminal.note("No changes made.");
  const text = { running: `Deleting service account ${id}`, done: `Deleted service account ${id}` };
  await terminal.step(text, () => cloud.deleteAccount({ project, account }));
  if (terminal.json) return terminal.printJson({ account, project, deleted: true });
  terminal.printTable([["DELETED", account]]);
}
