import { isAnnotationTrue, type KnativeService } from "./knative.ts";
import type { State } from "../state/state.ts";
import { hashLabel, keyOf, MAX_LABEL_LENGTH, type Place } from "./names.ts";
import { regionOfCode } from "./regions.ts";

/** The service and revision behind a `*.run.app` host. */
export interface ServiceRoute {
  readonly service: KnativeService;
  readonly place: Place;
  /** Undefined if no revision of the service is ready. */
  readonly revisionName: string | undefined;
  readonly tag?: string;
}

/** The instance of a caller's last request: https://cloud.google.com/run/docs/configuring/session-affinity */
export interface Session {
  readonly revisionName: string;
  readonly instanceId: string;
}

/**
 * Resolves a host, in lower case and without a port, to a service and revision; undefined if the service or tag doesn't exist. `random`,
 * from 0 up to but excluding 1, selects the revision if traffic is split. A session's revision takes precedence as long as it receives
 * traffic.
 */
export function resolveHost(state: State, host: string, random: number, session?: Session): ServiceRoute | undefined {
  const dot = host.indexOf(".");
  const [label, domain] = dot < 0 ? [host, ""] : [host.slice(0, dot), host.slice(dot + 1)];
  const untagged = findService(state, label, domain);
  if (untagged && !isDefaultUrlEnabled(untagged.service)) return undefined;
  if (untagged) {
    const { service, place } = untagged;
    return { service, place, revisionName: findSessionRevision(state, untagged, session) ?? pickRevision(service, random) };
  }

  const [, tag, name = ""] = /^(.+?)---(.+)$/.exec(label) ?? [];
  const tagged = findService(state, name, domain);
  const target = tagged?.service.status.traffic.find((candidate) => candidate.tag === tag);
  if (!tagged || !target || tag === undefined || !isDefaultUrlEnabled(tagged.service)) return undefined;
  return { service: tagged.service, place: tagged.place, revisionName: target.revisionName, tag };
}

/**
 * The audiences that a service accepts in ID tokens: its URLs, but not those of tags, and
 * https://cloud.google.com/run/docs/configuring/custom-audiences
 */
export function audiencesOf(service: KnativeService): readonly string[] {
  const cached = audiences.get(service);
  if (cached) return cached;
  const { annotations } = service.metadata;
  const tokenAudiences = ["run.googleapis.com/urls", "run.googleapis.com/custom-audiences"].flatMap(
    (name) => JSON.parse(annotations[name] ?? "[]") as string[],
  );
  // Objects in the state are frozen, and replaced as a whole.
  if (Object.isFrozen(annotations)) audiences.set(service, tokenAudiences);
  return tokenAudiences;
}

const audiences = new WeakMap<KnativeService, readonly string[]>();

function isDefaultUrlEnabled(service: KnativeService): boolean {
  return !isAnnotationTrue(service, "run.googleapis.com/default-url-disabled");
}

export function hasSessionAffinity(state: State, place: Place, revisionName: string): boolean {
  const revision = state.revisions.get(keyOf(place, revisionName));
  return revision !== undefined && isAnnotationTrue(revision, "run.googleapis.com/sessionAffinity");
}

function findSessionRevision(
  state: State,
  { service, place }: { service: KnativeService; place: Place },
  session?: Session,
): string | undefined {
  if (!session) return undefined;
  const target = service.status.traffic.find(({ revisionName, percent = 0 }) => percent > 0 && revisionName === session.revisionName);
  return target?.revisionName !== undefined && hasSessionAffinity(state, place, target.revisionName) ? target.revisionName : undefined;
}

function pickRevision({ status }: KnativeService, random: number): string | undefined {
  let rest = random * 100;
  for (const { percent = 0, revisionName } of status.traffic) {
    if (rest < percent) return revisionName;
    rest -= percent;
  }
  return undefined;
}

interface ServiceMatch {
  readonly service: KnativeService;
  readonly place: Place;
}

/** The services that hosts last resolved to, with their keys: the state replaces changed services, which invalidates an entry. */
const cachedHosts = new WeakMap<State, Map<string, ServiceMatch & { readonly key: string }>>();
const MAX_CACHED_HOSTS = 1000;

function findService(state: State, label: string, domain: string): ServiceMatch | undefined {
  const hosts = cachedHosts.get(state) ?? new Map<string, ServiceMatch & { readonly key: string }>();
  cachedHosts.set(state, hosts);
  const host = `${label}.${domain}`;
  const cached = hosts.get(host);
  if (
    cached &&
    state.services.get(cached.key) === cached.service &&
    state.projects.get(cached.place.project.projectId) === cached.place.project
  )
    return cached;
  const service = findUncached(state, label, domain);
  if (hosts.size > MAX_CACHED_HOSTS) hosts.clear();
  if (service) hosts.set(host, { ...service, key: keyOf(service.place, service.service.metadata.name) });
  return service;
}

function findUncached(state: State, label: string, domain: string): ServiceMatch | undefined {
  if (domain === "a.run.app") return findByHash(state, label);
  const [, region, name, projectNumber] = /^(\S+)\.run\.app (\S+)-(\d+)$/.exec(`${domain} ${label}`) ?? [];
  const project = state.projects.list().find((candidate) => candidate.projectNumber === projectNumber);
  return project && region !== undefined && name !== undefined ? matchService(state, { project, region }, name) : undefined;
}

function findByHash(state: State, label: string): ServiceMatch | undefined {
  const [, name = "", code = ""] = /^(\S+)-[a-z2-7]{10}-([a-z]{2})$/.exec(label) ?? [];
  const region = regionOfCode(code);
  if (region === undefined) return undefined;
  for (const project of state.projects.list()) {
    const place = { project, region };
    if (hashLabel(place, name) === label) return matchService(state, place, name);
    if (label.length < MAX_LABEL_LENGTH) continue;
    const shortened = state.services.list(keyOf(place, name)).find(({ metadata }) => hashLabel(place, metadata.name) === label);
    if (shortened) return { service: shortened, place };
  }
  return undefined;
}

function matchService(state: State, place: Place, name: string): ServiceMatch | undefined {
  const service = state.services.get(keyOf(place, name));
  return service && { service, place };
}
