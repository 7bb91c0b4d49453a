import { createHash } from "node:crypto";
import type { Service } from "../../cloud/cloud.ts";

type Labelled = Pick<Service, "labels">;

/** What `up` labels a service or a repository with that it makes, so that `down` knows it for its own from wherever it runs. */
export const MADE = { "cloudrun-oauth-up": "made" } as const;

/** What the tags of images begin with that `up` has built; the digest of their source goes on. */
const TAG = "src-";

/** Whether `up` has made it; what was there before is not `down`'s to remove. */
export function isMade({ labels }: Labelled): boolean {
  return labels["cloudrun-oauth-up"] === MADE["cloudrun-oauth-up"];
}

/** The label of a service that was there before, for a member that `up` grants the role on it. A label cannot hold an e-mail address. */
export function grantMark(member: string): Readonly<Record<string, string>> {
  return { [grantLabel(member)]: "granted" };
}

/** Whether `up` has let the member in. */
export function isGrantMarked({ labels }: Labelled, member: string): boolean {
  return labels[grantLabel(member)] === "granted";
}

export function grantLabel(member: string): string {
  return `cloudrun-oauth-up-${createHash("sha256").update(member).digest("hex").slice(0, 32)}`;
}

/** The tag of the image that is built of a source: the same source, the same tag. */
export function sourceTag(digest: string): string {
  return `${TAG}${digest.slice(0, 32)}`;
}

export function isSourceTag(tag: string): boolean {
  return tag.startsWith(TAG) && tag.length === TAG.length + 32;
}
