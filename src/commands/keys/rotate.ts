import { resolve } from "node:path";
import { readKeyFile } from "../../auth/key-file.ts";
import type { ServiceAccountKey } from "../../auth/service-account-key.ts";
import { resolveAccountEmail } from "../../cloud/accounts.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { createKey, deletionOf, waitUntilAccepted } from "./create-key.ts";
import { describeGitFile, findGitFile, warnAboutGit } from "./git-file.ts";
import { openNewKeyFile } from "./new-key-file.ts";

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
    throw new CliError("USAGE", `${file} contains a key for ${options.account}, not ${account}.`, { hint: "Omit --account." });
  const oldKey = { ...options, key: old.private_key_id };
  const cloud = await context.cloud();
  if (context.dryRun)
    return printPlan(terminal, [
      ...cloud.plan("createKey", options),
      `POST ${old.token_uri}, until it accepts the new key`,
      `write ${file}, with mode 0600`,
      ...(flags.keepOld ? [] : cloud.plan("deleteKey", oldKey)),
    ]);

  const isOldKept = flags.keepOld ?? false;
  if (!isOldKept) {
    terminal.note(
      `This replaces the key in ${file} and deletes the old key ${oldKey.key}.\nOther copies of the old key will stop working. To keep it, pass --keep-old.`,
    );
    if (!(await terminal.confirm("Rotate the key?"))) return terminal.note("No changes made.");
  }
  const newFile = await openNewKeyFile(file, { replace: true });
  const text = { running: "Creating a new key", done: `Replaced the key in ${file}`, failed: "The key wasn't replaced" };
  const newKey = await terminal.step(text, (tell) => {
    const verify = (key: ServiceAccountKey) => (tell("waiting for it to become valid (up to 3 minutes)"), waitUntilAccepted(key, context));
    return createKey(context, cloud, options, { file: newFile, verify });
  });
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

async function deleteOldKey({ terminal }: Context, cloud: Cloud, oldKey: Parameters<Cloud["deleteKey"]>[0]): Promise<void> {
  try {
    await terminal.step({ running: "Deleting the old key", done: `Deleted the old key ${oldKey.key}` }, () => cloud.deleteKey(oldKey));
  } catch (error) {
    // Someone else has deleted it.
    if (error instanceof CliError && error.code === "NOT_FOUND") return;
    terminal.warn(`The file contains the new key, but the old one is still valid. To delete it, run: ${deletionOf(terminal, oldKey)}`);
    throw error;
  }
}

function fileToRotate({ settings, cwd }: Context, path: string | undefined): string {
  if (path !== undefined) return resolve(cwd, path);
  const setting = settings.get("credentials");
  if (setting && !setting.isInline) return setting.value;
  throw new CliError("USAGE", "No key file specified.", { next: [nextStep("To rotate a key", "keys", "rotate", "KEY_FILE")] });
}
