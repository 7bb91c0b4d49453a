import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import type { KnativeRevision, KnativeVariable } from "../messages/knative-revision.ts";
import { readService, type KnativeService } from "../messages/knative-service.ts";
import type { Place } from "../names.ts";
import type { EnvironmentOptions } from "../cloud.ts";
import { defineVerb } from "../verb.ts";
import type { ApiRequest } from "./client.ts";
import { planReplacement, replaceService } from "./replace-service.ts";
import type { ClientFor } from "./request-verb.ts";

type Spec = NonNullable<KnativeService["spec"]>;

/** Creates a revision with changed variables and with the latest revision's exact image: the image's tag can have moved since. */
export function setEnvironmentVerb(clientFor: ClientFor, signal: AbortSignal) {
  return defineVerb({
    plan: (options: EnvironmentOptions) =>
      planReplacement(options, { spec: withVariables(undefined, options) }, revisionRequest(options, "REVISION")),
    async run(options) {
      const client = clientFor(options);
      const change = async ({ spec, status }: KnativeService) => {
        const latest = status?.latestCreatedRevisionName;
        const revision = latest === undefined ? undefined : await client.call<KnativeRevision>(revisionRequest(options, latest));
        return { spec: withVariables(spec, options, revision?.status?.imageDigest) };
      };
      return readService(await replaceService(client, options, { change, condition: "Ready", signal }), options);
    },
  });
}

function withVariables(spec: Spec | undefined, { set = {}, unset = [] }: EnvironmentOptions, digest?: string): Spec {
  // A new revision can't have the name of an earlier one.
  const { name: _, ...metadata } = spec?.template?.metadata ?? {};
  const [container, ...others] = spec?.template?.spec?.containers ?? [];
  const existing = container?.env ?? [];
  const secret = existing.find(({ name, valueFrom }) => name in set && valueFrom && !unset.includes(name));
  if (secret) throw replacesSecret(secret.name);
  const remaining = existing.filter(({ name }) => !unset.includes(name));
  const env: KnativeVariable[] = [
    ...remaining.map((variable) => (variable.name in set ? { name: variable.name, value: set[variable.name] } : variable)),
    ...Object.entries(set)
      .filter(([name]) => !remaining.some((variable) => variable.name === name))
      .map(([name, value]) => ({ name, value })),
  ];
  const image = digest !== undefined && !container?.image?.includes("@") ? { image: digest } : {};
  const containers = [{ ...container, ...image, env }, ...others];
  return { ...spec, template: { ...spec?.template, metadata, spec: { ...spec?.template?.spec, containers } } };
}

/** gcloud refuses this, too. */
function replacesSecret(name: string): CliError {
  return new CliError("USAGE", `${name} is set from a secret and can't be replaced with a value.`, {
    next: [nextStep("To remove it first", "env", "unset", name)],
    details: { variable: name },
  });
}

function revisionRequest({ project, region }: Place, revision: string): ApiRequest {
  return {
    method: "GET",
    url: `https://${region}-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/${project}/revisions/${revision}`,
  };
}
