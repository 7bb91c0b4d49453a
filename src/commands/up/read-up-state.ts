import { audienceFor } from "../../auth/audience.ts";
import { principalOfToken } from "../../auth/member.ts";
import type { CachedCredentials } from "../../auth/token-cache.ts";
import type { Cloud } from "../../cloud/cloud.ts";
import { readMember } from "../../auth/member.ts";
import { parseRepository } from "../../cloud/repository.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { readServiceState } from "./current-state.ts";
import { findDeployReason, type Goal, type UpState } from "./plan.ts";

interface Access {
  readonly cloud: Cloud;
  readonly credentials: CachedCredentials;
}

/** Reads what exists already; `isBuilt` is true if the image is known to exist. Throws as the control plane and the credentials do. */
export async function readUpState(context: Context, goal: Goal, { cloud, credentials }: Access, isBuilt = false): Promise<UpState> {
  const state = await readServiceState(cloud, goal);
  const member = state.service ? await findMember(context, credentials, state.service.url) : knownMember(context, credentials);
  const isImageBuilt = isBuilt || (findDeployReason(goal, state.service) !== undefined && (await hasImage(cloud, goal.image)));
  return { ...state, isImageBuilt, ...(member !== undefined && { member }) };
}

/** Who gets access, if no ID token is needed to tell: the member that the settings name, or else the caller. */
export function knownMember({ settings }: Pick<Context, "settings">, { principal }: CachedCredentials): string | undefined {
  const member = settings.get("member")?.value;
  return member === undefined ? principal : readMember(member);
}

/** Who gets access to the service at a URL. Throws USAGE if neither the settings nor an ID token tell. */
export async function findMember(context: Context, credentials: CachedCredentials, url: string): Promise<string> {
  const known = knownMember(context, credentials);
  if (known !== undefined) return known;
  const token = await credentials.fetchIdToken(credentials.audience ?? audienceFor(new URL(url)));
  return principalOfToken(token) ?? readMember(context.settings.require("member"));
}

async function hasImage(cloud: Cloud, reference: string): Promise<boolean> {
  const repository = parseRepository(reference);
  const [, name, tag] = /^(.+):([^:/]+)$/.exec(reference) ?? [];
  if (!repository || name === undefined || tag === undefined) return false;
  try {
    return (await cloud.images(repository)).some(({ image, tags }) => image === name && tags.includes(tag));
  } catch (error) {
    // Permission to push images doesn't include permission to list them.
    if (error instanceof CliError && (error.code === "NOT_FOUND" || isMissingPermission(error))) return false;
    throw error;
  }
}

function isMissingPermission({ code, subject }: CliError): boolean {
  return code === "PERMISSION_DENIED" && subject?.kind === "permission";
}
