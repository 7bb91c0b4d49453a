import type { Cloud } from "../../cloud/cloud.ts";
import type { ServiceName } from "../../cloud/names.ts";
import { parseRepository } from "../../cloud/repository.ts";
import { CliError } from "../../errors/cli-error.ts";
import { isPending, isSound, isUnsettled, type ServiceState } from "./current-state.ts";

/** What is to be there when the road has been walked. */
export interface Wanted extends ServiceName {
  /** The folder with the Dockerfile; absolute. */
  readonly directory: string;
  /** The image of the folder's source; the same source has the same one. */
  readonly image: string;
}

/** Why a step has something to do; a step that has not is left out. */
export interface Reasons {
  readonly build?: string;
  readonly deploy?: string;
  readonly promote?: string;
}

/** What is there against what is wanted. Whether the image is there is asked only where it makes a difference. */
export async function compare(cloud: Cloud, wanted: Wanted, ground: ServiceState): Promise<Reasons> {
  const reasons = compareService(wanted, ground);
  const isMissing = reasons.deploy !== undefined && !(await isBuilt(cloud, wanted.image));
  return isMissing ? { build: "there is no image of this source yet", ...reasons } : reasons;
}

/** The same where the image is known to be there. */
export function compareService(wanted: Wanted, { service }: ServiceState): Omit<Reasons, "build"> {
  const promote = service && isPending(service) ? "the latest revision was deployed without traffic" : undefined;
  const deploy = whyDeploy(wanted, service);
  return { ...(deploy !== undefined && { deploy }), ...(promote !== undefined && { promote }) };
}

function whyDeploy({ image, service: name }: Wanted, service: ServiceState["service"]): string | undefined {
  if (!service) return `there is no service ${name} yet`;
  if (service.image !== image) return "it runs another source";
  return isSound(service) || isUnsettled(service) ? undefined : "its latest revision did not become ready";
}

async function isBuilt(cloud: Cloud, reference: string): Promise<boolean> {
  const repository = parseRepository(reference);
  const [, image, tag] = /^(.+):([^:/]+)$/.exec(reference) ?? [];
  if (!repository || image === undefined || tag === undefined) return false;
  try {
    return (await cloud.images(repository)).some((each) => each.image === image && each.tags.includes(tag));
  } catch (error) {
    // Who may push need not be allowed to look.
    const isUnseen = error instanceof CliError && (error.code === "NOT_FOUND" || isForbidden(error));
    if (isUnseen) return false;
    throw error;
  }
}

function isForbidden({ code, subject }: CliError): boolean {
  return code === "PERMISSION_DENIED" && subject?.kind === "permission";
}
