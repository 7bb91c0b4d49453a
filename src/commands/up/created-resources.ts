import type { Cloud, Policy } from "../../cloud/cloud.ts";
import type { Service } from "../../cloud/service.ts";
import { registryName, type StoredImage } from "../../cloud/images.ts";
import type { ServiceName } from "../../cloud/names.ts";
import { INVOKER_ROLE } from "../../cloud/permissions.ts";
import { DEFAULT_REPOSITORY, parseRepository, type Repository } from "../../cloud/repository.ts";
import { CliError } from "../../errors/cli-error.ts";
import { readServiceState } from "./current-state.ts";
import { findGrantLabels, isCreatedByUp, isGrantedByUp, isSourceTag } from "./ownership-labels.ts";

/** What `up` created for a service, as the control plane reports it. */
export interface CreatedResources extends StoredResources {
  /** The service, if `up` created it. */
  readonly createdService: Service | undefined;
  /** The members of its policy, which goes with it. */
  readonly members: readonly string[];
  /** The service, if `up` didn't create it: it stays. */
  readonly foreignService: Service | undefined;
  /** The members that `up` granted access to it. */
  readonly grants: readonly string[];
  /** The names of the labels that mark those grants. */
  readonly grantLabels: readonly string[];
}

interface StoredResources {
  /** Images, by digest, that have no tags but those of `up`. */
  readonly images: readonly string[];
  /** The repository, if `up` created it and nothing else is in it. */
  readonly repository: Repository | undefined;
  /** How many other images are in a repository that `up` created. */
  readonly otherImageCount: number;
}

const NOTHING_STORED: StoredResources = { images: [], repository: undefined, otherImageCount: 0 };

/** Looks for what `up` created for a service, on any machine. `image` is the name of its images, without a tag. */
export async function findCreatedResources(cloud: Cloud, name: ServiceName, image: string): Promise<CreatedResources> {
  const { service, policy } = await readServiceState(cloud, name);
  const members = invokersOf(policy);
  if (service && !isCreatedByUp(service))
    return {
      createdService: undefined,
      members: [],
      foreignService: service,
      grants: members.filter((member) => isGrantedByUp(service, member)),
      grantLabels: findGrantLabels(service),
      // Cloud Run starts new instances of the revisions that stay from these images.
      ...NOTHING_STORED,
    };
  const stored = await findStoredResources(cloud, image);
  return { createdService: service, members: service ? members : [], foreignService: undefined, grants: [], grantLabels: [], ...stored };
}

function invokersOf(policy: Policy | undefined): string[] {
  return (policy?.bindings ?? [])
    .filter((binding) => binding.role === INVOKER_ROLE && !("condition" in binding))
    .flatMap(({ members }) => members);
}

async function findStoredResources(cloud: Cloud, name: string): Promise<StoredResources> {
  const repository = parseRepository(name);
  const stored = repository && (await cloud.images(repository).catch(unlessMissing));
  if (!repository || !stored) return NOTHING_STORED;
  const isBuiltByUp = ({ image, tags }: StoredImage) => image === name && tags.length > 0 && tags.every(isSourceTag);
  const images = stored.filter(isBuiltByUp).map(({ image, digest }) => `${image}@${digest}`);
  const isCreated = repository.name === DEFAULT_REPOSITORY && isCreatedByUp(await cloud.repository(repository));
  const otherImageCount = isCreated ? stored.length - images.length : 0;
  return { images, repository: isCreated && otherImageCount === 0 ? repository : undefined, otherImageCount };
}

interface Resource {
  readonly kind: "service" | "grant" | "label" | "image" | "repository";
  readonly name: string;
}

/** Everything that `down` removes. */
export function listCreatedResources(resources: CreatedResources): Resource[] {
  const { createdService, members, foreignService, grants, grantLabels, images, repository } = resources;
  const list = (kind: Resource["kind"], names: readonly string[]) => names.map((name) => ({ kind, name }));
  const access = [...members, ...grants].map(
    (member) => `${INVOKER_ROLE} to ${member}${foreignService ? ` on ${foreignService.service}` : ""}`,
  );
  // Labels without their grants stay behind if `up` was interrupted, or someone has revoked the grants.
  const orphans = grants.length === 0 ? grantLabels.map((label) => `${label} on ${foreignService?.service}`) : [];
  return [
    ...list("service", createdService ? [`${createdService.service} at ${createdService.url}`] : []),
    ...list("grant", access),
    ...list("label", orphans),
    ...list("image", images),
    ...list("repository", repository ? [registryName(repository)] : []),
  ];
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof CliError && error.code === "NOT_FOUND") return undefined;
  throw error;
}
