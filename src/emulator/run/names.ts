import { createHash, randomInt } from "node:crypto";
import type { Project } from "../state/resources.ts";
import { REGIONS } from "./regions.ts";

/** The length of a host name's label: RFC 1035, section 2.3.4. */
export const MAX_LABEL_LENGTH = 63;
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789";

export interface Place {
  readonly project: Project;
  readonly region: string;
}

/** The key of a service or a revision in the state. */
export function keyOf({ project, region }: Place, name: string): string {
  return `${project.projectId}/${region}/${name}`;
}

/** A service's full name in IAM. */
export function resourceName({ project, region }: Place, service: string): string {
  return `projects/${project.projectId}/locations/${region}/services/${service}`;
}

export function defaultServiceAccount(project: Project): string {
  return `${project.projectNumber}-compute@developer.gserviceaccount.com`;
}

/** The first label of a service's `*.a.run.app` host: a hash that all services of a project share, and the region's code. */
export function hashLabel({ project, region }: Place, service: string): string {
  const label = (name: string, hash: string) => `${name}-${hash}-${REGIONS.get(region)?.code ?? ""}`;
  const fullLabel = label(service, hashText(project.projectId));
  if (fullLabel.length <= MAX_LABEL_LENGTH) return fullLabel;
  // A shortened name gets its own hash.
  return label(service.slice(0, service.length - (fullLabel.length - MAX_LABEL_LENGTH)), hashText(`${project.projectId}/${service}`));
}

/** A service's URL in `status.url`, or that of one of its traffic tags. */
export function hashUrl(place: Place, service: string, tag?: string): string {
  return `https://${tag === undefined ? "" : `${tag}---`}${hashLabel(place, service)}.a.run.app`;
}

/** The URL that is known before the service exists; undefined if the name is too long for it. */
export function deterministicUrl({ project, region }: Place, service: string): string | undefined {
  const label = `${service}-${project.projectNumber}`;
  return label.length <= MAX_LABEL_LENGTH ? `https://${label}.${region}.run.app` : undefined;
}

/** All URLs of a service, as in `run.googleapis.com/urls`: https://cloud.google.com/run/docs/triggering/https-request */
export function urlsOf(place: Place, service: string): string[] {
  return [deterministicUrl(place, service), hashUrl(place, service)].filter((url) => url !== undefined);
}

/** A new revision's name, such as `hello-00001-qmx`. */
export function createRevisionName(service: string, generation: number): string {
  const letters = Array.from({ length: 3 }, () => SUFFIX_LETTERS[randomInt(SUFFIX_LETTERS.length)]).join("");
  const suffix = `-${String(generation).padStart(5, "0")}-${letters}`;
  return `${service.slice(0, MAX_LABEL_LENGTH - suffix.length)}${suffix}`;
}

/** Ten letters and digits that depend on the text only. */
function hashText(text: string): string {
  const cached = hashes.get(text);
  if (cached !== undefined) return cached;
  const bytes = createHash("sha256").update(text).digest();
  const hash = Array.from(bytes.subarray(0, 10), (byte) => BASE32[byte % BASE32.length]).join("");
  if (hashes.size < 1000) hashes.set(text, hash);
  return hash;
}

/** Every call to a service needs the hash of its project. */
const hashes = new Map<string, string>();
