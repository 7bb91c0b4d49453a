/**
 * The audience that Cloud Run expects for a URL: the service's own URL, without a path and without a traffic tag.
 * https://cloud.google.com/run/docs/authenticating/service-to-service
 */
export function audienceFor(url: URL): string {
  return isServiceHost(url.hostname) ? url.origin.replace(/^(https?:\/\/)(?:[^./]+?---)/, "$1") : url.origin;
}

/** Whether a host name is one that Cloud Run assigns to services. */
export function isServiceHost(hostname: string): boolean {
  return hostname.endsWith(".run.app");
}

/**
 * Whether an audience is a client ID of gcloud, which every service accepts besides its own: of `gcloud auth print-identity-token` without
 * --audiences (google/adk-python#3814), or of Application Default Credentials (GoogleCloudPlatform/cloud-run-proxy#10).
 */
export function isGcloudClientId(audience: string): boolean {
  return (
    audience === "32555940559.apps.googleusercontent.com" ||
    audience === "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com"
  );
}

/** The service that a URL names; only one of the two forms of URL includes the region. */
export interface ServiceFromUrl {
  readonly service: string;
  readonly region?: string;
}

/** Reads `https://[TAG---]SERVICE-PROJECT_NUMBER.REGION.run.app` and `https://[TAG---]SERVICE-HASH-RC.a.run.app`. */
export function readServiceUrl(url: URL): ServiceFromUrl | undefined {
  const host = new URL(audienceFor(url)).hostname;
  const [, hashed] = /^([a-z][a-z0-9-]*)-[a-z0-9]+-[a-z]+\.a\.run\.app$/.exec(host) ?? [];
  if (hashed) return { service: hashed };
  const [, service, region] = /^([a-z][a-z0-9-]*)-\d+\.([a-z]+-[a-z]+\d+)\.run\.app$/.exec(host) ?? [];
  return service && region ? { service, region } : undefined;
}
