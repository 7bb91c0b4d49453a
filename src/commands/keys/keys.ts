import { relative, resolve } from "node:path";
import type { Key } from "../../cloud/accounts.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { chosenAccount } from "./chosen-account.ts";
import { findWorkTree, warningAbout } from "./git-work-tree.ts";
import { openKeyFilePlace } from "./key-file-place.ts";
import { findLocalKeys, readLocalKey } from "./local-keys.ts";
import { keepNewKey } from "./new-key.ts";
import { printPlan } from "../../context/print-plan.ts";

interface AccountFlag {
  readonly account?: string;
}

/** Makes a key for a service account, and writes its file, readable for its owner alone. */
export async function keysCreate(
  context: Context,
  path: string | undefined,
  flags: AccountFlag & { readonly force?: boolean },
): Promise<void> {
  const { terminal, cwd, env } = context;
  const options = chosenAccount(context, flags.account);
  if (path === "-")
    throw new CliError("USAGE", "A private key is written into files only.", { hint: "cloudrun-oauth keys create key.json" });
  const file = resolve(cwd, path ?? `${options.account.split("@")[0]}.json`);
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, [...cloud.plan("createKey", options), `write ${file}, with mode 0600`]);

  const place = await openKeyFilePlace(file, { replace: flags.force ?? false });
  const [git, before] = await Promise.all([findWorkTree(file, env), readLocalKey(file)]);
  const made = await terminal.task(`Making a key of ${options.account}`, () =>
    keepNewKey(context, cloud, options, { place, verify: async () => {} }),
  );
  if (git) terminal.warn(warningAbout(file, git));
  if (before)
    terminal.warn(
      `${file} held the key ${before.key_id}, which goes on being good: cloudrun-oauth keys delete ${before.key_id} --account ${before.account}`,
    );
  if (terminal.json) return terminal.printJson({ account: options.account, key_id: made, file, git });
  terminal.printTable([
    ["FILE", file],
    ["KEY", made],
    ["ACCOUNT", options.account],
  ]);
}

/** Shows the keys of a service account, and which file here holds which of them. */
export async function keysList(context: Context, flags: AccountFlag & { readonly all?: boolean }): Promise<void> {
  const { terminal, cwd } = context;
  const options = chosenAccount(context, flags.account);
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("listKeys", options));
  const [found, files] = await terminal.task(`Reading the keys of ${options.account}`, () =>
    Promise.all([cloud.listKeys(options), findLocalKeys(context)]),
  );
  const keys = found
    .filter(({ managed_by }) => flags.all || managed_by === "user")
    .map((key) => ({ ...key, file: files.get(key.key_id) ?? null }));
  if (terminal.json) return terminal.printJson({ account: options.account, project: options.project, keys });
  if (keys.length === 0) return terminal.note(`${options.account} has no keys${flags.all ? "" : " but those that Google manages"}.`);
  terminal.printTable([
    ["KEY", "CREATED", "EXPIRES", "STATE", "MANAGED BY", "FILE"],
    ...keys.map((key) => [
      key.key_id,
      day(key.created_at) ?? "",
      day(key.expires_at) ?? "never",
      stateOf(key),
      key.managed_by,
      key.file === null ? "" : within(cwd, key.file),
    ]),
  ]);
}

function stateOf({ disabled, expires_at }: Key): string {
  if (disabled) return "disabled";
  return expires_at !== null && Date.parse(expires_at) < Date.now() ? "expired" : "good";
}

function day(time: string | null): string | undefined {
  return time?.slice(0, 10);
}

function within(folder: string, path: string): string {
  const short = relative(folder, path);
  return short.startsWith("..") ? path : short;
}

/** Deletes a key, named by its id or by a file that holds it, after asking. The file stays. */
export async function keysDelete(context: Context, named: string, flags: AccountFlag): Promise<void> {
  const { terminal, cwd } = context;
  const local = /^[0-9a-f]{40}$/.test(named) ? undefined : await readLocalKey(resolve(cwd, named));
  if (!local && !/^[0-9a-f]{6,}$/i.test(named))
    throw new CliError("USAGE", `${named} is neither a key's id nor a key file.`, { hint: "See the ids: cloudrun-oauth keys list" });
  const options = { ...chosenAccount(context, flags.account ?? local?.account), key: local?.key_id ?? named };
  if (local && local.account !== options.account)
    throw new CliError("USAGE", `${named} is a key file of ${local.account}, not of ${options.account}.`, { hint: "Leave --account out." });
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("deleteKey", options));
  if (!(await terminal.confirm(`Delete the key ${options.key} of ${options.account}? What has a copy of it can call no more.`)))
    return terminal.note("Nothing was deleted.");
  await terminal.task(`Deleting the key ${options.key}`, () => cloud.deleteKey(options));
  const file = (await findLocalKeys(context)).get(options.key) ?? (local ? resolve(cwd, named) : undefined);
  if (file !== undefined) terminal.note(`${file} holds that key, and is of no more use.`);
  if (terminal.json) return terminal.printJson({ account: options.account, key_id: options.key, deleted: true, file: file ?? null });
  terminal.printTable([
    ["DELETED", options.key],
    ["ACCOUNT", options.account],
  ]);
}
