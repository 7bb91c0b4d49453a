import type { Service } from "../../cloud/service.ts";
import type { CliError } from "../../errors/cli-error.ts";
import { isServiceHost } from "../../auth/audience.ts";
import type { Evidence } from "./evidence.ts";
import { describeService, refusalError, gcloudServiceFlags, type RejectedRequest } from "./refusal-error.ts";

/** Explains a 404 of the front end. */
export function explainNotReachable(request: RejectedRequest, evidence: Evidence): CliError {
  const { pathname } = request.url;
  // https://cloud.google.com/run/docs/known-issues#reserved_url_paths
  if (/^\/(?:eventlog$|_ah\/)|z$/.test(pathname) && !findHindrance(evidence.service))
    return refusalError(
      "RESERVED_PATH",
      request,
      `Google's front end keeps some paths to itself, ${pathname} seems to be one: the service never sees it.`,
      {
        hint: "Serve it under another path, one that does not end in z.",
      },
    );
  const { missing } = evidence;
  if (missing) {
    const { service, region, project } = missing;
    // The project's number is from the URL, so that the service was looked up in the right project.
    const doubt = /^\d+$/.test(project) ? "" : " — if the URL is another project's or region's, say --project and --region";
    return refusalError("NO_SUCH_SERVICE", request, `There is no service ${service} in ${region} of project ${project}.`, {
      hint: `Make it: cloudrun-oauth deploy ${service} --region ${region}${doubt}`,
    });
  }
  return explainByService(request, evidence) ?? unknownService(request);
}

/** The setting that hides the service from this caller. */
function findHindrance(service: Service | undefined): "ingress" | "url" | undefined {
  if (!service) return undefined;
  if (service.ingress !== "all") return "ingress";
  return service.default_url_disabled ? "url" : undefined;
}

function explainByService(request: RejectedRequest, evidence: Evidence): CliError | undefined {
  const { service } = evidence;
  if (!service) return undefined;
  const name = describeService(request, evidence);
  if (findHindrance(service) === "ingress")
    return refusalError("INGRESS_INTERNAL", request, `A call from outside does not get to ${name}: ${ingressSentence(service)}`, {
      hint: `Call it from within its project's VPC networks${service.ingress === "internal" ? "" : " or by its load balancer"}, or open it: gcloud run services update ${gcloudServiceFlags(request, evidence)} --ingress all`,
      ingress: service.ingress,
    });
  if (findHindrance(service) === "url" && isServiceHost(request.url.hostname))
    return refusalError("DEFAULT_URL_DISABLED", request, defaultUrlSentence(name), {
      hint: `Call it by its own domain, or switch the URL on: gcloud run services update ${gcloudServiceFlags(request, evidence)} --default-url`,
    });
  const tag = /^https?:\/\/(.+?)---/.exec(request.url.origin)?.[1];
  if (tag !== undefined && !service.traffic.some((target) => target.tag === tag))
    return refusalError("NO_SUCH_TAG", request, `No revision of ${name} has the tag ${tag}.`, {
      hint: `Tags there are: ${service.traffic.flatMap((target) => target.tag ?? []).join(", ") || "none"}. To set one: cloudrun-oauth deploy --tag ${tag}`,
      tag,
    });
  if (service.revision === null) {
    const reason = service.conditions.find(({ status }) => status === "False")?.message;
    return refusalError("NO_REVISION", request, `No revision of ${name} is ready to take the call.`, {
      hint: `cloudrun-oauth describe ${service.service} --region ${service.region} — ${reason ? firstLine(reason) : "It is still being deployed."}`,
    });
  }
  return undefined;
}

function unknownService(request: RejectedRequest): CliError {
  return refusalError("NOT_SHOWN", request, `Google's front end shows no service at ${request.url.origin}.`, {
    hint: "There is no such service, or its ingress lets in internal traffic only, or its default URL is disabled: see cloudrun-oauth describe",
  });
}

/** The first line of a revision's message, which can be long. */
function firstLine(message: string): string {
  const [line = ""] = message.split("\n");
  return line.length > 250 ? `${line.slice(0, 250)}…` : line;
}

/** Why a service can't be called from outside, to the end of a sentence. */
export function ingressSentence({ ingress }: Pick<Service, "ingress">): string {
  return `ingress is ${ingress}.`;
}

export function defaultUrlSentence(name: string): string {
  return `The run.app URLs of ${name} are answered 404: the default URL is disabled.`;
}
