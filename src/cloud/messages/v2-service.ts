import { CliError } from "../../errors/cli-error.ts";
import type { DeployOptions } from "../cloud.ts";

/** https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services, as far as a deployment reads it; what else it has is kept. */
export interface ServiceMessage {
  readonly etag?: string;
  readonly generation?: string;
  readonly labels?: Labels;
  readonly template?: TemplateMessage;
  readonly traffic?: readonly TargetMessage[];
  readonly latestReadyRevision?: string;
  readonly reconciling?: boolean;
  readonly terminalCondition?: { readonly state?: string; readonly message?: string };
}

type Labels = Readonly<Record<string, string>>;

export interface TemplateMessage {
  readonly revision?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Labels;
  readonly serviceAccount?: string;
  readonly containers?: readonly ContainerMessage[];
}

interface ContainerMessage {
  readonly image?: string;
  readonly env?: readonly VariableMessage[];
}

export interface VariableMessage {
  readonly name: string;
  readonly value?: string;
  readonly valueSource?: { readonly secretKeyRef?: { readonly secret: string; readonly version?: string } };
}

/** What is written of a service, and which of its fields. */
export interface ServiceUpdate {
  readonly message: ServiceMessage;
  readonly mask: readonly string[];
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
export function withRevision(options: DeployOptions, image: string, existing: ServiceMessage | undefined, mark: string): ServiceUpdate {
  const { tag, noTraffic, service } = options;
  if (noTraffic && !existing) throw noServingRevision();
  // The revision needs a name of its own where the traffic speaks of it.
  const revision = tag ? nameRevision(service, Number(existing?.generation ?? 0) + 1) : undefined;
  const { revision: _, ...template } = existing?.template ?? {};
  // Its revisions get all labels that a service has.
  const labels = options.labels && { ...existing?.labels, ...options.labels };
  const traffic = tag || noTraffic ? withTraffic(existing, { tag, noTraffic, revision }) : undefined;
  return {
    message: {
      ...(existing?.etag && { etag: existing.etag }),
      ...(labels && { labels }),
      template: {
        ...withImage(options, image, template),
        ...(revision && { revision }),
        ...(labels && { labels }),
        annotations: { ...template.annotations, [MARK]: mark },
      },
      ...(traffic && { traffic }),
    },
    mask: [...(labels ? ["labels"] : []), "template", ...(traffic ? ["traffic"] : [])],
  };
}

/** Whether a service is what the deployment with this mark made of it. */
export function isMarked(service: ServiceMessage, mark: string): boolean {
  return service.template?.annotations?.[MARK] === mark;
}

/** What gcloud says, too: https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration */
export function noServingRevision(cause?: unknown): CliError {
  return new CliError("USAGE", "The first revision of a service takes the traffic, and this one has none yet.", {
    hint: "Deploy it without --no-traffic; the ones after it can wait.",
    cause,
  });
}

function withImage({ env = {}, serviceAccount }: DeployOptions, image: string, template: TemplateMessage): TemplateMessage {
  const [container, ...others] = template.containers ?? [];
  const variables = mergeVariables(
    container?.env ?? [],
    Object.entries(env).map(([name, value]) => ({ name, value })),
  );
  return {
    ...template,
    containers: [{ ...container, image, ...(variables.length > 0 && { env: variables }) }, ...others],
    ...(serviceAccount && { serviceAccount }),
  };
}

/** Variables with others: what is there stands where it stood, with its new value. */
export function mergeVariables(existing: readonly VariableMessage[], wanted: readonly VariableMessage[]): VariableMessage[] {
  const find = (name: string) => wanted.find((variable) => variable.name === name);
  const others = wanted.filter(({ name }) => !existing.some((variable) => variable.name === name));
  return [...existing.map((variable) => find(variable.name) ?? variable), ...others];
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
