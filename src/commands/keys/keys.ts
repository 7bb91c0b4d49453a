import { relative, resolve } from "node:path";
import type { Key } from "../../cloud/accounts.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { createKey } from "./create-key.ts";
import { describeGitFile, findGitFile, warnAboutGit } from "./git-file.ts";
import { findLocalKeys, readLocalKey } from "./local-key-files.ts";
import { openNewKeyFile } from "./new-key-file.ts";
import { requireAccount } from "./require-account.ts";
import { printPlan } from "../../context/print-plan.ts";

interface AccountFlag {
  readonly account?: string;
}

/** Creates a key of a service account and writes its file, which only its owner can read. */
export async function keysCreate(
  context: Context,
  path: string | undefined,
  flags: AccountFlag & { readonly force?: boolean },
): Promise<void> {
  const { terminal, cwd } = context;
  const options = requireAccount(context, flags.account);
  if (path === "-")
    throw new CliError("USAGE", "A private key is written into files only.", { hint: "cloudrun-oauth keys create key.json" });
  const file = resolve(cwd, path ?? `${options.account.split("@")[0]}.json`);
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, [...cloud.plan("createKey", options), `write ${file}, with mode 0600`]);

  const newFile = await openNewKeyFile(file, { replace: flags.force ?? false });
  const [gitFile, replacedKey] = await Promise.all([findGitFile(file, context), readLocalKey(file)]);
  const keyId = await terminal.task(`Making a key of ${options.account}`, () => createKey(context, cloud, options, { file: newFile }));
  if (gitFile) terminal.warn(warnAboutGit(file, gitFile));
  if (replacedKey)
    terminal.warn(
      `${file} held the key ${replacedKey.key_id}, which goes on being good: cloudrun-oauth keys delete ${replacedKey.key_id} --account ${replacedKey.account}`,
    );
  if (terminal.json) return terminal.printJson({ account: options.account, key_id: keyId, file, git: describeGitFile(gitFile) });
  terminal.printTable([
    ["FILE", file],
    ["KEY", keyId],
    ["ACCOUNT", options.account],
  ]);
}

/** Shows the keys of a service account, and the local files that hold them. */
export async function keysList(context: Context, flags: AccountFlag & { readonly all?: boolean }): Promise<void> {
  const { terminal, cwd } = context;
  const options = requireAccount(context, flags.account);
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("listKeys", options));
  const [allKeys, files] = await terminal.task(`Reading the keys of ${options.account}`, () =>
    Promise.all([cloud.listKeys(options), findLocalKeys(context)]),
  );
  const keys = allKeys
    .filter(({ managed_by }) => flags.all || managed_by === "user")
    .map((key) => ({ ...key, file: files.get(key.key_id) ?? null }));
  if (terminal.json) return terminal.printJson({ account: options.account, project: options.project, keys });
  if (keys.length === 0) return terminal.note(`${options.account} has no keys${flags.all ? "" : " but those that Google manages"}.`);
  terminal.printTable([
    ["KEY", "CREATED", "EXPIRES", "STATE", "MANAGED BY", "FILE"],
    ...keys.map((key) => [
      key.key_id,
      formatDay(key.created_at) ?? "",
      formatDay(key.expires_at) ?? "never",
      stateOf(key),
      key.managed_by,
      key.file === null ? "" : shorten(cwd, key.file),
    ]),
  ]);
}

function stateOf({ disabled, expires_at }: Key): string {
  if (disabled) return "disabled";
  return expires_at !== null && Date.parse(expires_at) < Date.now() ? "expired" : "good";
}

function formatDay(time: string | null): string | undefined {
  return time?.slice(0, 10);
}

/** A path below the folder becomes relative to it. */
function shorten(folder: string, path: string): string {
  const relativePath = relative(folder, path);
  return relativePath.startsWith("..") ? path : relativePath;
}

/** Asks, and deletes a key, by its ID or by a file that holds it. The file stays. */
export async function keysDelete(context: Context, keyOrFile: string, flags: AccountFlag): Promise<void> {
  const { terminal, cwd } = context;
  const local = /^[0-9a-f]{40}$/.test(keyOrFile) ? undefined : await readLocalKey(resolve(cwd, keyOrFile));
  if (!local && !/^[0-9a-f]{6,}$/i.test(keyOrFile))
    throw new CliError("USAGE", `${keyOrFile} is neither a key's id nor a key file.`, { hint: "See the ids: cloudrun-oauth keys list" });
  const options = { ...requireAccount(context, flags.account ?? local?.account), key: local?.key_id ?? keyOrFile };
  if (local && local.account !== options.account)
    throw new CliError("USAGE", `${keyOrFile} is a key file of ${local.account}, not of ${options.account}.`, {
      hint: "Leave --account out.",
    });
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("deleteKey", options));
  if (!(await terminal.confirm(`Delete the key ${options.key} of ${options.account}? What has a copy of it can call no more.`)))
    return terminal.note("Nothing was deleted.");
  await terminal.task(`Deleting the key ${options.key}`, () => cloud.deleteKey(options));
  const file = (await findLocalKeys(context)).get(options.key) ?? (local ? resolve(cwd, keyOrFile) : undefined);
  if (file !== undefined) terminal.note(`${file} holds that key, and is of no more use.`);
  if (terminal.json) return terminal.printJson({ account: options.account, key_id: options.key, deleted: true, file: file ?? null });
  terminal.printTable([
    ["DELETED", options.key],
    ["ACCOUNT", options.account],
  ]);
}
