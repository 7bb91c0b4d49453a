import { isServiceHost } from "../../auth/audience.ts";
import type { Service } from "../../cloud/service.ts";
import type { CliError } from "../../errors/cli-error.ts";
import { externalStep, nextStep } from "../../errors/next-step.ts";
import type { Evidence } from "./evidence.ts";
import { describeService, gcloudArguments, refusalError, serviceArguments, type RejectedRequest } from "./refusal-error.ts";

/** Explains a 404 of the front end. */
export function explainNotReachable(request: RejectedRequest, evidence: Evidence): CliError {
  const { url } = request;
  const { service, missing } = evidence;
  // https://cloud.google.com/run/docs/known-issues#reserved_url_paths
  const isReservedPath = /^\/(?:eventlog$|_ah\/)|z$/.test(url.pathname);
  if (isReservedPath && !isHidden(service))
    return refusalError(
      "RESERVED_PATH",
      request,
      `${url.pathname} is a reserved path on Cloud Run, so the request never reached the service.`,
      {
        hint: "Use another path, such as /health. Paths that end in z can be reserved.",
      },
    );
  if (missing) {
    const { service: name, region, project } = missing;
    const message = `Service "${name}" not found in ${region} (project ${project}).`;
    // The project's number is from the URL, so that the service was looked up in the right project.
    const hint = /^\d+$/.test(project) ? undefined : "If it's in another project or region, pass --project and --region.";
    return refusalError("NO_SUCH_SERVICE", request, message, {
      hint,
      next: [nextStep("To deploy it", "deploy", name, "--region", region)],
    });
  }
  return (
    (service && explainByService(request, service)) ??
    refusalError("NOT_SHOWN", request, `No service is reachable at ${url.origin}.`, {
      hint: "It might not exist, or it might allow only internal traffic or have its default URL disabled.",
      next: [nextStep("To check the service", "describe", ...serviceArguments(request))],
    })
  );
}

function isHidden(service: Service | undefined): boolean {
  return service !== undefined && (service.ingress !== "all" || service.default_url_disabled);
}

function explainByService(request: RejectedRequest, service: Service): CliError | undefined {
  const name = describeService(request, { service });
  const update = (text: string, ...flags: readonly string[]) =>
    externalStep(text, "gcloud", "run", "services", "update", ...gcloudArguments(request, { service }), ...flags);
  if (service.ingress !== "all")
    return refusalError("INGRESS_INTERNAL", request, ingressSentence(service, name), {
      hint: `Send the request from the project's VPC networks${service.ingress === "internal" ? "" : " or through its load balancer"}.`,
      next: [update("To allow external traffic", "--ingress", "all")],
      ingress: service.ingress,
    });
  if (service.default_url_disabled && isServiceHost(request.url.hostname))
    return refusalError("DEFAULT_URL_DISABLED", request, defaultUrlSentence(name), {
      hint: "Use the service's custom domain.",
      next: [update("To enable the default URL", "--default-url")],
    });
  const tag = /^https?:\/\/(.+?)---/.exec(request.url.origin)?.[1];
  if (tag !== undefined && !service.traffic.some((target) => target.tag === tag))
    return refusalError("NO_SUCH_TAG", request, `Traffic tag "${tag}" not found on ${name}.`, {
      hint: `Tags: ${service.traffic.flatMap((target) => target.tag ?? []).join(", ") || "none"}.`,
      next: [nextStep("To deploy a revision with this tag", "deploy", ...serviceArguments(request, { service }), "--tag", tag)],
      tag,
    });
  if (service.revision !== null) return undefined;
  const [cause = "It might still be deploying."] = service.conditions.flatMap(({ status, message }) =>
    status === "False" && message ? message : [],
  );
  return refusalError("NO_REVISION", request, `No revision of ${name} is ready.`, {
    hint: firstLine(cause),
    next: [nextStep("To see its status", "describe", ...serviceArguments(request, { service }))],
  });
}

/** The first line of a revision's message, which can be long. */
function firstLine(message: string): string {
  const [line = ""] = message.split("\n");
  return line.length > 250 ? `${line.slice(0, 250)}…` : line;
}

/** Why a service can't be called from outside. */
export function ingressSentence({ ingress }: Pick<Service, "ingress">, name: string): string {
  return `External requests can't reach ${name}: its ingress setting is ${ingress}.`;
}

export function defaultUrlSentence(name: string): string {
  return `The run.app URLs for ${name} return 404: the default URL is disabled.`;
}
