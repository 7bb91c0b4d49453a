/**
 * The audience that Cloud Run expects at a URL: the service's own URL, without a path, and without the tag where the URL is a tag's.
 * https://cloud.google.com/run/docs/authenticating/service-to-service
 */
export function audienceFor(url: URL): string {
  return isServiceHost(url.hostname) ? url.origin.replace(/^(https?:\/\/)(?:[^./]+?---)/, "$1") : url.origin;
}

/** True for a URL that Cloud Run itself gave to a service. */
export function isServiceHost(hostname: string): boolean {
  return hostname.endsWith(".run.app");
}

/**
 * True for the audiences that every service takes besides its own: gcloud's client, which `gcloud auth print-identity-token` without
 * --audiences sends (google/adk-python#3814), and its client for Application Default Credentials (GoogleCloudPlatform/cloud-run-proxy#10).
 */
export function isGcloudClientId(audience: string): boolean {
  return (
    audience === "32555940559.apps.googleusercontent.com" ||
    audience === "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com"
  );
}

/** What a service's URL says of it; the region is in one of its two forms only. */
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
