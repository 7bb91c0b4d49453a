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
 * Explains an answer that is not the service's own, as a CliError with a `reason` in its details: NOT_AUTHENTICATED, NOT_AUTHORIZED,
 * NOT_REACHABLE, or HTTP_STATUS where Cloud Run answers for a service that gave no answer. Undefined where the service answered itself.
 * It goes by the page, then by the credential; only where these do not tell is `look` asked what the control plane says.
 * https://cloud.google.com/run/docs/troubleshooting#unauthorized-client
 */
export async function explainRefusal(call: RejectedRequest, look: EvidenceLookup = async () => ({})): Promise<CliError | undefined> {
  const author = responseAuthor(call);
  if (author === undefined) return undefined;
  if (author === "stand-in") return explainInstanceError(call);
  const { token } = readSentCredential(call.sent);
  const seek = (wants: Parameters<EvidenceLookup>[1]): Promise<Evidence> => look({ url: call.url, token, member: callerOf(call) }, wants);
  // Where the policy of IAP is changed, the region has to be said.
  if (author === "iap") return explainIap(call, call.status === 403 ? await seek({ policy: false, signer: false }) : {});
  if (call.status === 404) return explainNotReachable(call, await seek({ policy: false, signer: false }));
  const seen = findCredentialFault(call);
  // Which audiences a service takes besides its URL, the control plane alone knows.
  const isAboutAudience = seen?.reason === "AUDIENCE_MISMATCH" || seen?.reason === "AUDIENCE_IS_DOMAIN";
  if (seen && !isAboutAudience) return seen;
  const evidence = await seek({ policy: true, signer: call.status === 401 && !isAboutAudience });
  return findCredentialFault(call, evidence) ?? explainNotAuthorized(call, evidence);
}
