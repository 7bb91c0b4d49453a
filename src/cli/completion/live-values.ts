import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { tokenCacheFolder } from "../../auth/token-cache-files.ts";
import type { Context } from "../../context/context.ts";
import { writeCacheFile } from "../../settings/cache-folder.ts";

type Value = readonly [value: string, meaning: string];
type Kind = "service" | "member" | "revision";

/** Milliseconds that an answer is good for; a failure, which is not to be waited for again at the next key, for less. */
const LIFE = { answer: 30_000, failure: 10_000 };

/**
 * The services of the project's region, a service's revisions, or its members with their roles, as the control plane has them or had them half a
 * minute ago. Nothing where it cannot be asked, or does not answer before the context's signal. Never throws.
 */
export async function liveValues(context: Context, kind: Kind): Promise<readonly Value[]> {
  const value = (name: "project" | "region" | "service") => context.settings.get(name)?.value;
  const asked = { project: value("project"), region: value("region"), service: value("service") };
  const key = JSON.stringify([kind, asked, context.env.CLOUDRUN_OAUTH_EMULATOR, context.settings.get("via")?.value]);
  const path = cachePath(context, key);
  const kept = readKept(path);
  if (kept) return kept;
  try {
    const values = await ended(ask(context, kind, asked), context.signal);
    keep(path, values, LIFE.answer);
    return values;
  } catch {
    keep(path, [], LIFE.failure);
    return [];
  }
}

type Asked = Readonly<Record<"project" | "region" | "service", string | undefined>>;

async function ask(context: Context, kind: Kind, { project, region, service }: Asked): Promise<Value[]> {
  if (!project || !region) return [];
  const cloud = await context.cloud();
  if (kind === "service") return (await cloud.list({ project, region })).map((found) => [found.service, found.url]);
  if (!service) return [];
  const name = { project, region, service };
  if (kind === "revision") return (await cloud.revisions(name)).map(({ revision }) => [revision, ""]);
  const { bindings } = await cloud.policy(name);
  return bindings.flatMap(({ role, members }) => members.map((member): Value => [member, role]));
}

/** The work's result, or the signal's end, whichever comes first. */
function ended<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

function cachePath({ env }: Context, key: string): string | undefined {
  const tokens = tokenCacheFolder(env);
  return tokens && join(dirname(tokens), "completion", `${createHash("sha256").update(key).digest("hex").slice(0, 32)}.json`);
}

function readKept(path: string | undefined): readonly Value[] | undefined {
  try {
    const { until, values } = JSON.parse(readFileSync(path ?? "", "utf8")) as { until: number; values: readonly Value[] };
    const now = Date.now();
    return now < until && until <= now + LIFE.answer ? values : undefined;
  } catch {
    return undefined;
  }
}

function keep(path: string | undefined, values: readonly Value[], life: number): void {
  if (path === undefined) return;
  writeCacheFile(dirname(path), basename(path), JSON.stringify({ until: Date.now() + life, values }), LIFE.answer);
}
