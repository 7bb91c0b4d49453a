import type { CliError } from "../../errors/cli-error.ts";
import { readSentCredential } from "./sent-credential.ts";
import { findCredentialFault } from "./credential-fault.ts";
import { responseAuthor } from "./response-author.ts";
import { explainIap } from "./iap.ts";
import { explainNotAuthorized } from "./not-authorized.ts";
import { explainNotReachable } from "./not-reachable.ts";
import type { Evidence, EvidenceLookup } from "./evidence.ts";
import { callerOf, type RejectedRequest } from "./refusal-error.ts";
import { explainInstanceError } from "./instance-error.ts";

/**
 * Explains a response that isn't the service's own, as a CliError with a `reason`: NOT_AUTHENTICATED, NOT_AUTHORIZED, NOT_REACHABLE, or
 * HTTP_STATUS if Cloud Run responds for an instance that didn't. Undefined if the service itself responded. The page decides, then the
 * credential; evidence from the control plane is looked up only if neither tells.
 * https://cloud.google.com/run/docs/troubleshooting#unauthorized-client
 */
export async function explainRefusal(
  request: RejectedRequest,
  lookUpEvidence: EvidenceLookup = async () => ({}),
): Promise<CliError | undefined> {
  const author = responseAuthor(request);
  if (author === undefined) return undefined;
  if (author === "instance error") return explainInstanceError(request);
  const { token } = readSentCredential(request.sent);
  const lookUp = (wanted: Parameters<EvidenceLookup>[1]): Promise<Evidence> =>
    lookUpEvidence({ url: request.url, token, member: callerOf(request) }, wanted);
  // The hint to change IAP's policy needs the service's region.
  if (author === "iap") return explainIap(request, request.status === 403 ? await lookUp({ policy: false, signer: false }) : {});
  if (request.status === 404) return explainNotReachable(request, await lookUp({ policy: false, signer: false }));
  const fault = findCredentialFault(request);
  // Only the control plane knows a service's custom audiences.
  const isAboutAudience = fault?.reason === "AUDIENCE_MISMATCH" || fault?.reason === "AUDIENCE_IS_DOMAIN";
  if (fault && !isAboutAudience) return fault;
  const evidence = await lookUp({ policy: true, signer: request.status === 401 && !isAboutAudience });
  return findCredentialFault(request, evidence) ?? explainNotAuthorized(request, evidence);
}
