import { openTokenStore, tokenCacheFolder } from "../../auth/token-cache-files.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";

/** Deletes the cached tokens. Copies remain valid until they expire: Google can't revoke ID tokens. */
export async function revokeTokens({ env, terminal, dryRun }: Context): Promise<void> {
  const folder = tokenCacheFolder(env) ?? null;
  if (dryRun) return printPlan(terminal, folder === null ? [] : [`rm -r ${folder}`]);
  const removed = folder === null ? 0 : openTokenStore(folder).clear();
  if (terminal.json) return terminal.printJson({ removed, folder });
  terminal.printTable([
    ["REMOVED", String(removed)],
    ["FOLDER", folder ?? ""],
  ]);
}
