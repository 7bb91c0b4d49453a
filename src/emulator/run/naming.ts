import { createHash, randomInt } from "node:crypto";
import type { Project } from "../state/resources.ts";
import { REGIONS } from "./regions.ts";

/** RFC 1035, section 2.3.4: what a host name's label may hold. */
export const LONGEST_LABEL = 63;
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789";

/** Where a service, or a revision, is. */
export interface Place {
  readonly project: Project;
  readonly region: string;
}

/** The key of a service or a revision in the state. */
export function keyOf({ project, region }: Place, name: string): string {
  return `${project.projectId}/${region}/${name}`;
}

/** A service's full name, as IAM knows it. */
export function resourceName({ project, region }: Place, service: string): string {
  return `projects/${project.projectId}/locations/${region}/services/${service}`;
}

/** The account that a revision runs as where it names none. */
export function defaultServiceAccount(project: Project): string {
  return `${project.projectNumber}-compute@developer.gserviceaccount.com`;
}

/** The first label of a service's `*.a.run.app` host: a hash that all services of a project share, and the region's code. */
export function hashLabel({ project, region }: Place, service: string): string {
  const label = (name: string, hash: string) => `${name}-${hash}-${REGIONS.get(region)?.code ?? ""}`;
  const whole = label(service, hashOf(project.projectId));
  if (whole.length <= LONGEST_LABEL) return whole;
  // A name that has to be cut is told from others by its hash.
  return label(service.slice(0, service.length - (whole.length - LONGEST_LABEL)), hashOf(`${project.projectId}/${service}`));
}

/** The URL of a service that `status.url` shows, or of one of its traffic tags. */
export function hashUrl(place: Place, service: string, tag?: string): string {
  return `https://${tag === undefined ? "" : `${tag}---`}${hashLabel(place, service)}.a.run.app`;
}

/** The URL that can be known before the service is there; none where the name is too long for it. */
export function deterministicUrl({ project, region }: Place, service: string): string | undefined {
  const label = `${service}-${project.projectNumber}`;
  return label.length <= LONGEST_LABEL ? `https://${label}.${region}.run.app` : undefined;
}

/** All URLs of a service as `run.googleapis.com/urls` lists them: https://cloud.google.com/run/docs/triggering/https-request */
export function urlsOf(place: Place, service: string): string[] {
  return [deterministicUrl(place, service), hashUrl(place, service)].filter((url) => url !== undefined);
}

/** A new revision's name, as `hello-00001-qmx`. */
export function nameRevision(service: string, generation: number): string {
  const suffix = Array.from({ length: 3 }, () => SUFFIX_LETTERS[randomInt(SUFFIX_LETTERS.length)]).join("");
  const tail = `-${String(generation).padStart(5, "0")}-${suffix}`;
  return `${service.slice(0, LONGEST_LABEL - tail.length)}${tail}`;
}

/** Ten letters and digits that never change for the same text. */
function hashOf(text: string): string {
  const known = hashes.get(text);
  if (known !== undefined) return known;
  const bytes = createHash("sha256").update(text).digest();
  const hash = Array.from(bytes.subarray(0, 10), (byte) => BASE32[byte % BASE32.length]).join("");
  if (hashes.size < 1000) hashes.set(text, hash);
  return hash;
}

/** Each call to a service asks for the hashes of its project anew. */
const hashes = new Map<string, string>();
