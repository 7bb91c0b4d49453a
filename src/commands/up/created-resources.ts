import type { Cloud, Policy, Service } from "../../cloud/cloud.ts";
import type { ServiceName } from "../../cloud/names.ts";
import type { StoredImage } from "../../cloud/images.ts";
import { registryOf } from "../../cloud/images.ts";
import { DEFAULT_REPOSITORY, parseRepository, type Repository } from "../../cloud/repository.ts";
import { CliError } from "../../errors/cli-error.ts";
import { INVOKER, survey } from "./current-state.ts";
import { grantLabel, isGrantMarked, isMade, isSourceTag } from "./ownership-labels.ts";

/** What `up` has left of a service, as the control plane tells it. */
export interface CreatedResources {
  /** The service that `up` has made. */
  readonly service: Service | undefined;
  /** The members of its policy, who go with it. */
  readonly members: readonly string[];
  /** A service that was there before, whoever made it. */
  readonly kept: Service | undefined;
  /** Whom `up` has let in on that one. */
  readonly grants: readonly string[];
  /** The labels that say so. */
  readonly marks: readonly string[];
  /** Images by their digests that have no tag but `up`'s own. */
  readonly images: readonly string[];
  /** The repository, where `up` has made it and nothing else is in it. */
  readonly repository: Repository | undefined;
  /** Why a repository that `up` has made stays. */
  readonly others: number;
}

/** Looks for what `up` has made of a service, from whichever machine. `image` is where its images are, without a tag. */
export async function findCreatedResources(cloud: Cloud, name: ServiceName, image: string): Promise<CreatedResources> {
  const { service, policy } = await survey(cloud, name);
  const made = service && isMade(service) ? service : undefined;
  const kept = service && !made ? service : undefined;
  const members = membersOf(policy);
  const grants = kept ? members.filter((member) => isGrantMarked(kept, member)) : [];
  const marks = kept ? Object.keys(kept.labels).filter((label) => label.startsWith(grantLabel("").replace(/[0-9a-f]{32}$/, ""))) : [];
  // The revisions of a service that stays may be started anew from their images.
  const stored = kept ? { images: [], repository: undefined, others: 0 } : await findStored(cloud, image);
  return { service: made, members: made ? members : [], kept, grants, marks, ...stored };
}

function membersOf(policy: Policy | undefined): string[] {
  return (policy?.bindings ?? [])
    .filter((binding) => binding.role === INVOKER && !("condition" in binding))
    .flatMap(({ members }) => members);
}

async function findStored(cloud: Cloud, image: string): Promise<Pick<CreatedResources, "images" | "repository" | "others">> {
  const repository = parseRepository(image);
  const stored = repository && (await cloud.images(repository).catch(unlessMissing));
  if (!repository || !stored) return { images: [], repository: undefined, others: 0 };
  const isOurs = ({ image: each, tags }: StoredImage) => each === image && tags.length > 0 && tags.every(isSourceTag);
  const ours = stored.filter(isOurs);
  const others = stored.length - ours.length;
  const isMine = repository.name === DEFAULT_REPOSITORY && isMade(await cloud.repository(repository));
  return {
    images: ours.map(({ image: each, digest }) => `${each}@${digest}`),
    repository: isMine && others === 0 ? repository : undefined,
    others: isMine ? others : 0,
  };
}

/** What is to be removed, a thing each: its kind, and its name. */
export function listCreatedResources({
  service,
  members,
  kept,
  grants,
  marks,
  images,
  repository,
}: CreatedResources): [kind: string, name: string][] {
  return [
    ...(service ? ([["service", `${service.service} at ${service.url}`]] as [string, string][]) : []),
    ...members.map((member): [string, string] => ["grant", `${INVOKER} to ${member}`]),
    ...(kept ? grants.map((member): [string, string] => ["grant", `${INVOKER} to ${member} on ${kept.service}`]) : []),
    // What was interrupted, or done by hand meanwhile, leaves these alone.
    ...(grants.length === 0 ? marks.map((mark): [string, string] => ["label", `${mark} on ${kept?.service}`]) : []),
    ...images.map((image): [string, string] => ["image", image]),
    ...(repository ? ([["repository", registryOf(repository)]] as [string, string][]) : []),
  ];
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof CliError && error.code === "NOT_FOUND") return undefined;
  throw error;
}
