import { resolve } from "node:path";
import { readKeyFile } from "../../auth/key-file.ts";
import { accountEmail } from "../../cloud/accounts.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { findWorkTree, warningAbout } from "./git-work-tree.ts";
import { openKeyFilePlace } from "./key-file-place.ts";
import { keepNewKey, waitUntilGood } from "./new-key.ts";
import { printPlan } from "../../context/print-plan.ts";

interface RotateFlags {
  readonly account?: string;
  readonly keepOld?: boolean;
}

/** Puts a new key into a key file: the file has the old one until the new one is known to work, and only then is the old one deleted. */
export async function keysRotate(context: Context, path: string | undefined, flags: RotateFlags): Promise<void> {
  const { settings, terminal, env } = context;
  const project = settings.require("project");
  const file = fileToRotate(context, path);
  const old = await readKeyFile(file);
  const options = { project, account: old.client_email };
  const named = flags.account === undefined ? undefined : accountEmail(flags.account, project);
  if (named !== undefined && named !== options.account)
    throw new CliError("USAGE", `${file} is a key file of ${options.account}, not of ${named}.`, { hint: "Leave --account out." });
  const oldKey = { ...options, key: old.private_key_id };
  const cloud = await context.cloud();
  if (context.dryRun)
    return printPlan(terminal, [
      ...cloud.plan("createKey", options),
      `POST ${old.token_uri}, until it takes the new key`,
      `write ${file}, with mode 0600`,
      ...(flags.keepOld ? [] : cloud.plan("deleteKey", oldKey)),
    ]);

  // Asked before anything is made, so that a run without a person fails whole.
  const isOldKept = flags.keepOld ?? !(await terminal.confirm(questionAbout(oldKey.key)));
  const place = await openKeyFilePlace(file, { replace: true });
  const made = await terminal.task(`Making a new key of ${options.account}, and seeing that it works`, () =>
    keepNewKey(context, cloud, options, { place, verify: (key) => waitUntilGood(key, context) }),
  );
  if (!isOldKept) await deleteOld(context, cloud, oldKey);
  const git = await findWorkTree(file, env);
  if (git) terminal.warn(warningAbout(file, git));
  if (terminal.json)
    return terminal.printJson({ account: options.account, file, key_id: made, old_key_id: oldKey.key, old_key_deleted: !isOldKept, git });
  terminal.printTable([
    ["FILE", file],
    ["KEY", made],
    [isOldKept ? "KEPT" : "DELETED", oldKey.key],
  ]);
}

function questionAbout(key: string): string {
  return `Delete the old key ${key} when the new one works? What has a copy of it can call no more; --keep-old keeps it.`;
}

async function deleteOld({ terminal }: Context, cloud: Cloud, oldKey: Parameters<Cloud["deleteKey"]>[0]): Promise<void> {
  try {
    await terminal.task(`Deleting the old key ${oldKey.key}`, () => cloud.deleteKey(oldKey));
  } catch (error) {
    // Somebody has deleted it already: that is what was wanted.
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
