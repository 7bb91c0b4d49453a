import { resolve } from "node:path";
import { readKeyFile } from "../../auth/key-file.ts";
import { resolveAccountEmail } from "../../cloud/accounts.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { createKey, waitUntilAccepted } from "./create-key.ts";
import { describeGitFile, findGitFile, warnAboutGit } from "./git-file.ts";
import { openNewKeyFile } from "./new-key-file.ts";
import { printPlan } from "../../context/print-plan.ts";

interface RotateFlags {
  readonly account?: string;
  readonly keepOld?: boolean;
}

/** Replaces the key in a key file: the file keeps the old key until the new one works, and only then is the old one deleted. */
export async function keysRotate(context: Context, path: string | undefined, flags: RotateFlags): Promise<void> {
  const { settings, terminal } = context;
  const project = settings.require("project");
  const file = fileToRotate(context, path);
  const old = await readKeyFile(file);
  const options = { project, account: old.client_email };
  const account = flags.account === undefined ? undefined : resolveAccountEmail(flags.account, project);
  if (account !== undefined && account !== options.account)
    throw new CliError("USAGE", `${file} is a key file of ${options.account}, not of ${account}.`, { hint: "Leave --account out." });
  const oldKey = { ...options, key: old.private_key_id };
  const cloud = await context.cloud();
  if (context.dryRun)
    return printPlan(terminal, [
      ...cloud.plan("createKey", options),
      `POST ${old.token_uri}, until it takes the new key`,
      `write ${file}, with mode 0600`,
      ...(flags.keepOld ? [] : cloud.plan("deleteKey", oldKey)),
    ]);

  // Asked before anything is created, so that a run without a terminal leaves nothing half done.
  const isOldKept = flags.keepOld ?? !(await terminal.confirm(questionAbout(oldKey.key)));
  const newFile = await openNewKeyFile(file, { replace: true });
  const newKey = await terminal.task(`Making a new key of ${options.account}, and seeing that it works`, () =>
    createKey(context, cloud, options, { file: newFile, verify: (key) => waitUntilAccepted(key, context) }),
  );
  if (!isOldKept) await deleteOldKey(context, cloud, oldKey);
  const gitFile = await findGitFile(file, context);
  if (gitFile) terminal.warn(warnAboutGit(file, gitFile));
  if (terminal.json)
    return terminal.printJson({
      account: options.account,
      file,
      key_id: newKey,
      old_key_id: oldKey.key,
      old_key_deleted: !isOldKept,
      git: describeGitFile(gitFile),
    });
  terminal.printTable([
    ["FILE", file],
    ["KEY", newKey],
    [isOldKept ? "KEPT" : "DELETED", oldKey.key],
  ]);
}

function questionAbout(key: string): string {
  return `Delete the old key ${key} when the new one works? What has a copy of it can call no more; --keep-old keeps it.`;
}

async function deleteOldKey({ terminal }: Context, cloud: Cloud, oldKey: Parameters<Cloud["deleteKey"]>[0]): Promise<void> {
  try {
    await terminal.task(`Deleting the old key ${oldKey.key}`, () => cloud.deleteKey(oldKey));
  } catch (error) {
    // Someone else has deleted it.
    if (error instanceof CliError && error.code === "NOT_FOUND") return;
    terminal.warn(
      `The file has the new key; the old one is good yet: cloudrun-oauth keys delete ${oldKey.key} --account ${oldKey.account}`,
    );
    throw error;
  }
}

function fileToRotate({ settings, cwd }: Context, path: string | undefined): string {
  if (path !== undefined) return resolve(cwd, path);
  const setting = settings.get("credentials");
  if (setting && !setting.isInline) return setting.value;
  throw new CliError("USAGE", "No key file is named.", { hint: "cloudrun-oauth keys rotate key.json" });
}
