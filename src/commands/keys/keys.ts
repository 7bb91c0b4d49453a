import { resolve } from "node:path";
import { resolveAccountEmail, type AccountName, type Key } from "../../cloud/accounts.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { relativePath } from "../../context/relative-path.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { withTimes } from "../../terminal/relative-time.ts";
import { createKey, deletionOf } from "./create-key.ts";
import { describeGitFile, findGitFile, warnAboutGit } from "./git-file.ts";
import { findLocalKeys, readLocalKey } from "./local-key-files.ts";
import { openNewKeyFile } from "./new-key-file.ts";

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
    throw new CliError("USAGE", "Private keys are only written to files.", {
      next: [nextStep("To write a file", "keys", "create", "key.json")],
    });
  const file = resolve(cwd, path ?? `${options.account.split("@")[0]}.json`);
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, [...cloud.plan("createKey", options), `write ${file}, with mode 0600`]);

  const newFile = await openNewKeyFile(file, { replace: flags.force ?? false });
  const [gitFile, replacedKey] = await Promise.all([findGitFile(file, context), readLocalKey(file)]);
  const text = { running: "Creating a key", done: `Created a key for ${options.account}`, failed: "The key wasn't created" };
  const keyId = await terminal.step(text, () => createKey(context, cloud, options, { file: newFile }));
  if (gitFile) terminal.warn(warnAboutGit(file, gitFile));
  if (replacedKey)
    terminal.warn(
      `The key that was in ${file} is still valid. To delete it, run: ${deletionOf(terminal, { ...options, ...replacedKey, key: replacedKey.key_id })}`,
    );
  if (terminal.json) return terminal.printJson({ account: options.account, key_id: keyId, file, git: describeGitFile(gitFile) });
  terminal.printTable([
    ["FILE", file],
    ["KEY", keyId],
    ["ACCOUNT", options.account],
  ]);
}

/** The service account that an option names, or else the one that the settings name as the member. Throws USAGE if neither does. */
function requireAccount({ settings }: Context, name: string | undefined): AccountName {
  const project = settings.require("project");
  const member = settings.get("member")?.value.replace(/^serviceAccount:/, "");
  const account = name ?? (member?.endsWith(".gserviceaccount.com") ? member : undefined);
  if (account !== undefined) return { project, account: resolveAccountEmail(account, project) };
  throw new CliError("USAGE", "No service account specified.", {
    hint: "Pass --account, or set SERVICE_ACCOUNT_EMAIL.",
    next: [nextStep("To list service accounts", "accounts", "list")],
  });
}

/** Shows the keys of a service account, and the local files that contain them. */
export async function keysList(context: Context, flags: AccountFlag & { readonly all?: boolean }): Promise<void> {
  const { terminal, cwd } = context;
  const options = requireAccount(context, flags.account);
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("listKeys", options));
  const [allKeys, files] = await terminal.wait("Listing keys", () => Promise.all([cloud.listKeys(options), findLocalKeys(context)]));
  const keys = allKeys
    .filter(({ managed_by }) => flags.all || managed_by === "user")
    .map((key) => ({ ...key, file: files.get(key.key_id) ?? null }));
  if (terminal.json) return terminal.printJson({ account: options.account, project: options.project, keys });
  if (keys.length === 0) return terminal.note(`${options.account} has no ${flags.all ? "" : "user-managed "}keys.`);
  const { rows, piped } = withTimes((formatTime) =>
    keys.map((key) => {
      const [created, expires] = [key.created_at && formatTime(key.created_at), key.expires_at?.slice(0, 10)];
      const [state, style] = stateOf(key);
      const path = key.file === null ? "" : relativePath(cwd, key.file);
      return [key.key_id, created ?? "", expires ?? "never", terminal.style(style, state), key.managed_by, path];
    }),
  );
  terminal.printTable(rows, { header: ["key", "created", "expires", "state", "managed by", "file"], piped });
}

function stateOf({ disabled, expires_at }: Key) {
  if (disabled) return ["disabled", "yellow"] as const;
  return expires_at !== null && Date.parse(expires_at) < Date.now() ? (["expired", "red"] as const) : (["active", "green"] as const);
}

/** Asks, and deletes a key by its ID or by a file that contains it. The file stays. */
export async function keysDelete(context: Context, keyOrFile: string, flags: AccountFlag): Promise<void> {
  const { terminal, cwd } = context;
  const local = /^[0-9a-f]{40}$/.test(keyOrFile) ? undefined : await readLocalKey(resolve(cwd, keyOrFile));
  if (!local && !/^[0-9a-f]{6,}$/i.test(keyOrFile))
    throw new CliError("USAGE", `Key "${keyOrFile}" not found.`, {
      hint: "Pass a key ID or a key file.",
      next: [nextStep("To list keys", "keys", "list", ...(flags.account === undefined ? [] : ["--account", flags.account]))],
    });
  const options = { ...requireAccount(context, flags.account ?? local?.account), key: local?.key_id ?? keyOrFile };
  if (local && local.account !== options.account)
    throw new CliError("USAGE", `${keyOrFile} contains a key for ${local.account}, not ${options.account}.`, { hint: "Omit --account." });
  const cloud = await context.cloud();
  if (context.dryRun) return printPlan(terminal, cloud.plan("deleteKey", options));
  terminal.note(`This deletes key ${options.key} for ${options.account}. Anything that uses a copy of it will stop working.`);
  if (!(await terminal.confirm("Delete the key?"))) return terminal.note("No changes made.");
  await terminal.step({ running: "Deleting the key", done: `Deleted key ${options.key}` }, () => cloud.deleteKey(options));
  const file = (await findLocalKeys(context)).get(options.key) ?? (local ? resolve(cwd, keyOrFile) : undefined);
  if (file !== undefined) terminal.note(`The file ${file} contains the deleted key and can be removed.`);
  if (terminal.json) return terminal.printJson({ account: options.account, key_id: options.key, deleted: true, file: file ?? null });
  terminal.printTable([
    ["DELETED", options.key],
    ["ACCOUNT", options.account],
  ]);
}
