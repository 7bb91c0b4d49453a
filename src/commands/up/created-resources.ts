import type { Cloud } from "../../cloud/cloud.ts";
import { registryName, type StoredImage } from "../../cloud/images.ts";
import type { ServiceName } from "../../cloud/names.ts";
import { INVOKER_ROLE } from "../../cloud/permissions.ts";
import { DEFAULT_REPOSITORY, parseRepository, type Repository } from "../../cloud/repository.ts";
import type { Service } from "../../cloud/service.ts";
import { CliError } from "../../errors/cli-error.ts";
import { readServiceState } from "./current-state.ts";
import { findGrantLabels, isCreatedByUp, isGrantedByUp, isSourceTag } from "./ownership-labels.ts";

/** What `up` created for a service, as the control plane reports it. */
export interface CreatedResources extends StoredResources {
  readonly service: Service | undefined;
  /** Whether `up` created the service; if not, it is kept. */
  readonly isCreated: boolean;
  /** The members with access: all those of a created service, else those that `up` granted access. */
  readonly members: readonly string[];
  /** The names of the labels that mark grants on a service that is kept. */
  readonly grantLabels: readonly string[];
}

interface StoredResources {
  /** Images, by digest, that have no tags but those of `up`. */
  readonly images: readonly string[];
  /** The repository, if `up` created it and nothing else is in it. */
  readonly repository?: Repository;
  readonly otherImageCount: number;
}

/** Finds what `up` created for a service, on any machine. `image` is the name of its images, without a tag. */
export async function findCreatedResources(cloud: Cloud, name: ServiceName, image: string): Promise<CreatedResources> {
  const { service, policy } = await readServiceState(cloud, name);
  const members = (policy?.bindings ?? [])
    .filter((binding) => binding.role === INVOKER_ROLE && !("condition" in binding))
    .flatMap((binding) => binding.members);
  if (!service || isCreatedByUp(service))
    return { service, isCreated: service !== undefined, members, grantLabels: [], ...(await findStoredResources(cloud, image)) };
  const granted = members.filter((member) => isGrantedByUp(service, member));
  // The images stay: Cloud Run starts new instances of the service's revisions from them.
  return { service, isCreated: false, members: granted, grantLabels: findGrantLabels(service), images: [], otherImageCount: 0 };
}

async function findStoredResources(cloud: Cloud, name: string): Promise<StoredResources> {
  const repository = parseRepository(name);
  const stored = repository && (await cloud.images(repository).catch(unlessMissing));
  if (!repository || !stored) return { images: [], otherImageCount: 0 };
  const isBuiltByUp = ({ image, tags }: StoredImage) => image === name && tags.length > 0 && tags.every(isSourceTag);
  const images = stored.filter(isBuiltByUp).map(({ image, digest }) => `${image}@${digest}`);
  const isCreated = repository.name === DEFAULT_REPOSITORY && isCreatedByUp(await cloud.repository(repository));
  const otherImageCount = isCreated ? stored.length - images.length : 0;
  return { images, otherImageCount, ...(isCreated && otherImageCount === 0 && { repository }) };
}

interface Resource {
  readonly kind: "service" | "grant" | "label" | "image" | "repository";
  readonly name: string;
}

export function listCreatedResources({ service, isCreated, members, grantLabels, images, repository }: CreatedResources): Resource[] {
  const list = (kind: Resource["kind"], names: readonly string[], suffix = "") => names.map((name) => ({ kind, name: `${name}${suffix}` }));
  const on = isCreated ? "" : ` on ${service?.service}`;
  // Labels without their grants stay behind if `up` was interrupted, or someone has revoked the grants.
  const orphans = members.length === 0 ? grantLabels : [];
  return [
    ...list("service", service && isCreated ? [`${service.service} at ${service.url}`] : []),
    ...members.flatMap((member) => list("grant", [`${INVOKER_ROLE} to ${member}`], on)),
    ...list("label", orphans, on),
    ...list("image", images),
    ...list("repository", repository ? [registryName(repository)] : []),
  ];
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof CliError && error.code === "NOT_FOUND") return undefined;
  throw error;
}
