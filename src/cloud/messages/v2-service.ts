import { CliError } from "../../errors/cli-error.ts";
import type { DeployOptions } from "../cloud.ts";

/** https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services; other fields are preserved. */
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
/** An annotation of the template that identifies a deployment whose response got lost. */
const MARK = "cloudrun-oauth/deployment";

/** What a deployment writes: the fields keep their values except for the image and what the options set. */
export function withRevision(options: DeployOptions, image: string, existing: ServiceMessage | undefined, mark: string): ServiceUpdate {
  const { tag, noTraffic, service } = options;
  if (noTraffic && !existing) throw noServingRevision();
  // If the traffic refers to the revision, the revision needs a name.
  const revision = tag ? createRevisionName(service, Number(existing?.generation ?? 0) + 1) : undefined;
  const { revision: _, ...template } = existing?.template ?? {};
  // A service's revisions get all of its labels.
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

export function isMarked(service: ServiceMessage, mark: string): boolean {
  return service.template?.annotations?.[MARK] === mark;
}

/** gcloud refuses this, too: https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration */
export function noServingRevision(): CliError {
  return new CliError("USAGE", "A service's first revision must receive traffic.", { hint: "Omit --no-traffic." });
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

/** Merges variables: an existing variable keeps its position and gets its new value. */
export function mergeVariables(existing: readonly VariableMessage[], wanted: readonly VariableMessage[]): VariableMessage[] {
  const find = (name: string) => wanted.find((variable) => variable.name === name);
  const others = wanted.filter(({ name }) => !existing.some((variable) => variable.name === name));
  return [...existing.map((variable) => find(variable.name) ?? variable), ...others];
}

/** By default, traffic stays as it is; at first, all of it goes to the latest revision. */
function withTraffic(
  { traffic = [], latestReadyRevision }: ServiceMessage = {},
  { tag, noTraffic, revision }: { readonly tag?: string; readonly noTraffic?: boolean; readonly revision?: string },
): TargetMessage[] {
  const serving = latestReadyRevision?.split("/").at(-1);
  const existing = traffic.length > 0 ? traffic : [{ type: LATEST, percent: 100 }];
  const targets = existing
    .map((target) => (target.tag === tag ? { ...target, tag: undefined } : target))
    .filter((target) => target.percent || target.tag);
  // Traffic that follows the latest revision has to stay with the one that is serving now.
  const pinned =
    noTraffic && serving
      ? mergeShares(targets.map((target) => (isLatestShare(target) ? { ...target, type: REVISION, revision: serving } : target)))
      : targets;
  return tag && revision ? [...pinned, { type: REVISION, revision, tag }] : pinned;
}

/** A target with a share of the traffic that follows the latest revision. A tag that follows it can continue to do so. */
function isLatestShare({ type, percent }: TargetMessage): boolean {
  return type === LATEST && Boolean(percent);
}

function mergeShares(targets: readonly TargetMessage[]): TargetMessage[] {
  const sum: TargetMessage[] = [];
  for (const target of targets) {
    const index = sum.findIndex(({ type, revision, tag }) => type === target.type && revision === target.revision && tag === target.tag);
    if (index < 0) sum.push(target);
    else sum[index] = { ...target, percent: (sum[index]?.percent ?? 0) + (target.percent ?? 0) };
  }
  return sum;
}

function createRevisionName(service: string, generation: number): string {
  const letters = Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => String.fromCharCode(97 + (byte % 26))).join("");
  const tail = `-${String(generation).padStart(5, "0")}-${letters}`;
  return `${service.slice(0, 63 - tail.length)}${tail}`;
}
