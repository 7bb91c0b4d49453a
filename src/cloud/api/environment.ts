import { CliError } from "../../errors/cli-error.ts";
import type { ApiClient, ApiRequest } from "./client.ts";
import { serviceUrl } from "../messages/knative-url.ts";
import { replaceService, serviceRead, type Spec } from "./replace.ts";
import type { Place } from "../names.ts";
import type { KnativeRevision, KnativeVariable } from "../messages/knative-revision.ts";
import type { KnativeService } from "../messages/knative-service.ts";
import type { EnvironmentOptions } from "../operate.ts";

/** Makes a revision with other variables, and with the very image that the latest one has: its tag may stand for another by now. */
export function setEnvironment(client: ApiClient, options: EnvironmentOptions, signal: AbortSignal): Promise<KnativeService> {
  const change = async ({ spec, status }: KnativeService) => {
    const latest = status?.latestCreatedRevisionName;
    const revision = latest === undefined ? undefined : ((await client.call(revisionRead(options, latest))) as KnativeRevision);
    return withVariables(spec, options, revision?.status?.imageDigest);
  };
  return replaceService(client, options, change, { condition: "Ready", signal });
}

export function planEnvironment(options: EnvironmentOptions): ApiRequest[] {
  return [
    serviceRead(options),
    revisionRead(options, "REVISION"),
    { method: "PUT", url: serviceUrl(options), body: { spec: withVariables(undefined, options) } },
    serviceRead(options),
  ];
}

function withVariables(spec: Spec | undefined, { set = {}, unset = [] }: EnvironmentOptions, digest?: string): Spec {
  // A new revision may not have the name of an earlier one.
  const { name: _, ...metadata } = spec?.template?.metadata ?? {};
  const [container, ...others] = spec?.template?.spec?.containers ?? [];
  const existing = container?.env ?? [];
  const secret = existing.find(({ name, valueFrom }) => name in set && valueFrom && !unset.includes(name));
  if (secret) throw takenBySecret(secret.name);
  const kept = existing.filter(({ name }) => !unset.includes(name));
  const env: KnativeVariable[] = [
    ...kept.map((variable) => (variable.name in set ? { name: variable.name, value: set[variable.name] } : variable)),
    ...Object.entries(set)
      .filter(([name]) => !kept.some((variable) => variable.name === name))
      .map(([name, value]) => ({ name, value })),
  ];
  const image = digest !== undefined && !container?.image?.includes("@") ? { image: digest } : {};
  const containers = [{ ...container, ...image, env }, ...others];
  return { ...spec, template: { ...spec?.template, metadata, spec: { ...spec?.template?.spec, containers } } };
}

/** What gcloud refuses too. */
function takenBySecret(name: string): CliError {
  return new CliError("USAGE", `${name} comes from a secret, and a value would take its place.`, {
    hint: `Remove it first: cloudrun-oauth env unset ${name}`,
    details: { variable: name },
  });
}

function revisionRead({ project, region }: Place, revision: string): ApiRequest {
  return {
    method: "GET",
    url: `https://${region}-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/${project}/revisions/${revision}`,
  };
}
