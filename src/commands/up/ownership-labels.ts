import { createHash } from "node:crypto";
import type { Service } from "../../cloud/service.ts";

type Labeled = Pick<Service, "labels">;

/** The label of services and repositories that `up` creates: it tells `down`, on any machine, what it can delete. */
export const CREATED_LABELS = { "cloudrun-oauth-up": "made" } as const;

const GRANT_PREFIX = "cloudrun-oauth-up-";

/** The prefix of the tags of images that `up` builds; the digest of their source follows. */
const SOURCE_TAG_PREFIX = "src-";
const DIGEST_LENGTH = 32;

/** Whether `up` created it. If not, `down` doesn't delete it. */
export function isCreatedByUp({ labels }: Labeled): boolean {
  return labels["cloudrun-oauth-up"] === CREATED_LABELS["cloudrun-oauth-up"];
}

/** Marks a service that `up` didn't create with a member that `up` grants access to. */
export function grantLabels(member: string): Readonly<Record<string, string>> {
  return { [grantLabel(member)]: "granted" };
}

export function isGrantedByUp({ labels }: Labeled, member: string): boolean {
  return labels[grantLabel(member)] === "granted";
}

export function findGrantLabels({ labels }: Labeled): string[] {
  return Object.keys(labels).filter((label) => label.startsWith(GRANT_PREFIX));
}

/** A label can't hold an email address, so its hash stands for it. */
export function grantLabel(member: string): string {
  return `${GRANT_PREFIX}${createHash("sha256").update(member).digest("hex").slice(0, DIGEST_LENGTH)}`;
}

/** The tag of the image that is built from a source: the same source always has the same tag. */
export function sourceTag(digest: string): string {
  return `${SOURCE_TAG_PREFIX}${digest.slice(0, DIGEST_LENGTH)}`;
}

export function isSourceTag(tag: string): boolean {
  return tag.startsWith(SOURCE_TAG_PREFIX) && tag.length === SOURCE_TAG_PREFIX.length + DIGEST_LENGTH;
}
