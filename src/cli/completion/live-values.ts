import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { tokenCacheFolder } from "../../auth/token-cache-files.ts";
import type { Context } from "../../context/context.ts";
import { writeCacheFile } from "../../settings/cache-folder.ts";
import { attempt } from "../../settings/private-files.ts";
import type { Candidate } from "./candidate.ts";

/** How long an answer is used again. A failure is too, for less: the next key stroke doesn't wait for it once more. */
const ANSWER_LIFETIME_MS = 30_000;
const FAILURE_LIFETIME_MS = 10_000;

/**
 * The services of the project's region, a service's revisions, or its members with their roles, as the control plane has them or had them half a
 * minute ago. Empty if the control plane can't be asked or doesn't answer before the context's signal. Never throws.
 */
export async function liveValues(context: Context, kind: "service" | "member" | "revision"): Promise<readonly Candidate[]> {
  const [project, region, service] = (["project", "region", "service"] as const).map((name) => context.settings.get(name)?.value);
  const name = { project, region, service };
  const key = JSON.stringify([kind, name, context.env.CLOUDRUN_OAUTH_EMULATOR, context.settings.get("via")?.value]);
  const cached = readCached(context, key);
  if (cached) return cached;
  try {
    const values = await rejectOnAbort(fetchValues(context, kind, name), context.signal);
    writeCached(context, key, values, ANSWER_LIFETIME_MS);
    return values;
  } catch {
    writeCached(context, key, [], FAILURE_LIFETIME_MS);
    return [];
  }
}

async function fetchValues(
  context: Context,
  kind: "service" | "member" | "revision",
  { project, region, service }: Readonly<Record<"project" | "region" | "service", string | undefined>>,
): Promise<readonly Candidate[]> {
  if (!project || !region) return [];
  const cloud = await context.cloud();
  if (kind === "service") return (await cloud.list({ project, region })).map((listed) => [listed.service, listed.url]);
  if (!service) return [];
  const name = { project, region, service };
  if (kind === "revision") return (await cloud.revisions(name)).map(({ revision }) => [revision]);
  const { bindings } = await cloud.policy(name);
  return bindings.flatMap(({ role, members }) => members.map((member): Candidate => [member, role]));
}

function rejectOnAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

function cacheFileOf({ env }: Context, key: string): { readonly folder: string; readonly name: string } | undefined {
  const tokens = tokenCacheFolder(env);
  const name = `${createHash("sha256").update(key).digest("hex").slice(0, 32)}.json`;
  return tokens ? { folder: join(dirname(tokens), "completion"), name } : undefined;
}

function readCached(context: Context, key: string): readonly Candidate[] | undefined {
  const file = cacheFileOf(context, key);
  const text = file && attempt(() => readFileSync(join(file.folder, file.name), "utf8"));
  const cached = text ? attempt(() => JSON.parse(text) as { until: number; values: readonly Candidate[] }) : undefined;
  const now = Date.now();
  return cached && now < cached.until && cached.until <= now + ANSWER_LIFETIME_MS ? cached.values : undefined;
}

function writeCached(context: Context, key: string, values: readonly Candidate[], lifetimeMs: number): void {
  const file = cacheFileOf(context, key);
  const content = JSON.stringify({ until: Date.now() + lifetimeMs, values });
  if (file) writeCacheFile(file.folder, file.name, content, ANSWER_LIFETIME_MS);
}
