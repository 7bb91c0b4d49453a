import { CliError } from "../errors.ts";
import type { DeployOptions } from "./cloud.ts";

/** https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services, as far as a deployment reads it; what else it has is kept. */
export interface ServiceMessage {
  readonly etag?: string;
  readonly generation?: string;
  readonly template?: TemplateMessage;
  readonly traffic?: readonly TargetMessage[];
  readonly latestReadyRevision?: string;
  readonly reconciling?: boolean;
  readonly terminalCondition?: { readonly state?: string; readonly message?: string };
}

interface TemplateMessage {
  readonly revision?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly serviceAccount?: string;
  readonly containers?: readonly {
    readonly image?: string;
    readonly env?: readonly { readonly name: string; readonly value?: string }[];
  }[];
}

interface TargetMessage {
  readonly type?: string;
  readonly revision?: string;
  readonly percent?: number;
  readonly tag?: string;
}

const LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST";
const REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION";
/** An annotation of the template that tells a deployment from all others: one whose answer got lost is known by it. */
const MARK = "cloudrun-oauth/deployment";

/** What a deployment writes of a service, and which of its fields: what they held stays, but for the image and for what was said. */
export function withRevision(options: DeployOptions, image: string, existing: ServiceMessage | undefined, mark: string) {
  const { tag, noTraffic, service } = options;
  if (noTraffic && !existing) throw noRevisionYet();
  // The revision needs a name of its own where the traffic speaks of it.
  const revision = tag ? nameRevision(service, Number(existing?.generation ?? 0) + 1) : undefined;
  const { revision: _, ...template } = existing?.template ?? {};
  const message = {
    ...(existing?.etag && { etag: existing.etag }),
    template: {
      ...withImage(options, image, template),
      ...(revision && { revision }),
      annotations: { ...template.annotations, [MARK]: mark },
    },
  };
  if (!tag && !noTraffic) return { message, mask: "template" };
  return { message: { ...message, traffic: withTraffic(existing, { tag, noTraffic, revision }) }, mask: "template,traffic" };
}

/** Whether a service is what the deployment with this mark made of it. */
export function isMarked(service: ServiceMessage, mark: string): boolean {
  return service.template?.annotations?.[MARK] === mark;
}

/** What gcloud says, too: https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration */
export function noRevisionYet(cause?: unknown): CliError {
  return new CliError("USAGE", "The first revision of a service takes the traffic, and this one has none yet.", {
    hint: "Deploy it without --no-traffic; the ones after it can wait.",
    cause,
  });
}

function withImage({ env = {}, serviceAccount }: DeployOptions, image: string, template: TemplateMessage): TemplateMessage {
  const [container, ...others] = template.containers ?? [];
  const variables = [
    ...(container?.env ?? []).filter(({ name }) => !(name in env)),
    ...Object.entries(env).map(([name, value]) => ({ name, value })),
  ];
  return {
    ...template,
    containers: [{ ...container, image, ...(variables.length > 0 && { env: variables }) }, ...others],
    ...(serviceAccount && { serviceAccount }),
  };
}

/** Without a word about it, traffic stays as it is; all of it goes to the latest revision at first. */
function withTraffic(
  { traffic = [], latestReadyRevision }: ServiceMessage = {},
  { tag, noTraffic, revision }: { readonly tag?: string; readonly noTraffic?: boolean; readonly revision?: string },
): TargetMessage[] {
  const serving = latestReadyRevision?.split("/").at(-1);
  const existing = traffic.length > 0 ? traffic : [{ type: LATEST, percent: 100 }];
  const kept = existing
    .map((target) => (target.tag === tag ? { ...target, tag: undefined } : target))
    .filter((target) => target.percent || target.tag);
  // What follows the latest revision has to stay with the one that serves now.
  const held =
    noTraffic && serving
      ? merged(kept.map((target) => (isShared(target) ? { ...target, type: REVISION, revision: serving } : target)))
      : kept;
  return tag && revision ? [...held, { type: REVISION, revision, tag }] : held;
}

/** A share of the latest revision, whichever that is. A tag that follows it may go on to do so. */
function isShared({ type, percent }: TargetMessage): boolean {
  return type === LATEST && Boolean(percent);
}

/** A revision's shares as one. */
function merged(targets: readonly TargetMessage[]): TargetMessage[] {
  const sum: TargetMessage[] = [];
  for (const target of targets) {
    const same = sum.findIndex(({ type, revision, tag }) => type === target.type && revision === target.revision && tag === target.tag);
    if (same < 0) sum.push(target);
    else sum[same] = { ...target, percent: (sum[same]?.percent ?? 0) + (target.percent ?? 0) };
  }
  return sum;
}

/** As Cloud Run names one, and as long as it may be. */
function nameRevision(service: string, generation: number): string {
  const letters = Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => String.fromCharCode(97 + (byte % 26))).join("");
  const tail = `-${String(generation).padStart(5, "0")}-${letters}`;
  return `${service.slice(0, 63 - tail.length)}${tail}`;
}
