import type { KnativeService } from "./knative.ts";
import type { State } from "../state/state.ts";
import { isOn } from "./annotations.ts";
import { hashLabel, keyOf, LONGEST_LABEL, type Place } from "./naming.ts";
import { regionOfCode } from "./regions.ts";

/** What a call to a `*.run.app` host reaches. */
export interface ServiceRoute {
  readonly service: KnativeService;
  readonly place: Place;
  /** Undefined where no revision of the service is ready to take the call. */
  readonly revisionName: string | undefined;
  readonly tag?: string;
}

/** The instance that served a caller's last request, by https://cloud.google.com/run/docs/configuring/session-affinity */
export interface Session {
  readonly revisionName: string;
  readonly instanceId: string;
}

/**
 * The service and revision behind a host, which is in lower case and without its port; undefined where there is no such service or tag.
 * `random`, at least 0 and below 1, picks the revision where traffic is split; a session's revision goes before, as long as it takes traffic at all.
 */
export function routeHost(state: State, host: string, random: number, session?: Session): ServiceRoute | undefined {
  const dot = host.indexOf(".");
  const [label, domain] = dot < 0 ? [host, ""] : [host.slice(0, dot), host.slice(dot + 1)];
  const untagged = findService(state, label, domain);
  if (untagged && !isReachable(untagged.service)) return undefined;
  if (untagged) {
    const { service, place } = untagged;
    return { service, place, revisionName: findKept(state, untagged, session) ?? pick(service, random) };
  }

  const [, tag, name = ""] = /^(.+?)---(.+)$/.exec(label) ?? [];
  const tagged = findService(state, name, domain);
  const target = tagged?.service.status.traffic.find((each) => each.tag === tag);
  if (!tagged || !target || tag === undefined || !isReachable(tagged.service)) return undefined;
  return { service: tagged.service, place: tagged.place, revisionName: target.revisionName, tag };
}

/** The audiences that an ID token for a service may have: its URLs, never a tag's, and https://cloud.google.com/run/docs/configuring/custom-audiences */
export function audiencesOf(service: KnativeService): readonly string[] {
  const known = audiences.get(service);
  if (known) return known;
  const { annotations } = service.metadata;
  const found = ["run.googleapis.com/urls", "run.googleapis.com/custom-audiences"].flatMap(
    (name) => JSON.parse(annotations[name] ?? "[]") as string[],
  );
  // What the state holds is frozen, and replaced as a whole.
  if (Object.isFrozen(annotations)) audiences.set(service, found);
  return found;
}

const audiences = new WeakMap<KnativeService, readonly string[]>();

function isReachable(service: KnativeService): boolean {
  return !isOn(service, "run.googleapis.com/default-url-disabled");
}

/** Whether a revision keeps its callers to the instances that they know. */
export function keepsSessions(state: State, place: Place, revisionName: string): boolean {
  const revision = state.revisions.get(keyOf(place, revisionName));
  return revision !== undefined && isOn(revision, "run.googleapis.com/sessionAffinity");
}

function findKept(state: State, { service, place }: { service: KnativeService; place: Place }, session?: Session): string | undefined {
  if (!session) return undefined;
  const target = service.status.traffic.find(({ revisionName, percent = 0 }) => percent > 0 && revisionName === session.revisionName);
  return target?.revisionName !== undefined && keepsSessions(state, place, target.revisionName) ? target.revisionName : undefined;
}

function pick({ status }: KnativeService, random: number): string | undefined {
  let rest = random * 100;
  for (const { percent = 0, revisionName } of status.traffic) {
    if (rest < percent) return revisionName;
    rest -= percent;
  }
  return undefined;
}

interface Found {
  readonly service: KnativeService;
  readonly place: Place;
}

/** What hosts were found to be last, with the service's key: what the state holds is replaced as a whole, so that it is known whether it is still so. */
const found = new WeakMap<State, Map<string, Found & { readonly key: string }>>();
const MOST_FOUND = 1000;

function findService(state: State, label: string, domain: string): Found | undefined {
  const hosts = found.get(state) ?? new Map<string, Found & { readonly key: string }>();
  found.set(state, hosts);
  const host = `${label}.${domain}`;
  const known = hosts.get(host);
  if (known && state.services.get(known.key) === known.service && state.projects.get(known.place.project.projectId) === known.place.project)
    return known;
  const service = searchService(state, label, domain);
  if (hosts.size > MOST_FOUND) hosts.clear();
  if (service) hosts.set(host, { ...service, key: keyOf(service.place, service.service.metadata.name) });
  return service;
}

function searchService(state: State, label: string, domain: string): Found | undefined {
  if (domain === "a.run.app") return findByHash(state, label);
  const [, region, name, projectNumber] = /^(\S+)\.run\.app (\S+)-(\d+)$/.exec(`${domain} ${label}`) ?? [];
  const project = state.projects.list().find((each) => each.projectNumber === projectNumber);
  return project && region !== undefined && name !== undefined ? lookUp(state, { project, region }, name) : undefined;
}

function findByHash(state: State, label: string): Found | undefined {
  const [, name = "", code = ""] = /^(\S+)-[a-z2-7]{10}-([a-z]{2})$/.exec(label) ?? [];
  const region = regionOfCode(code);
  if (region === undefined) return undefined;
  for (const project of state.projects.list()) {
    const place = { project, region };
    if (hashLabel(place, name) === label) return lookUp(state, place, name);
    if (label.length < LONGEST_LABEL) continue;
    const cut = state.services.list(keyOf(place, name)).find(({ metadata }) => hashLabel(place, metadata.name) === label);
    if (cut) return { service: cut, place };
  }
  return undefined;
}

function lookUp(state: State, place: Place, name: string): Found | undefined {
  const service = state.services.get(keyOf(place, name));
  return service && { service, place };
}
