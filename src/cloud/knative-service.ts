import type { Service, ServiceName } from "./cloud.ts";

/** https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services, as far as it is read here. */
export interface KnativeService {
  readonly metadata?: { readonly generation?: number; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly template?: {
      readonly metadata?: { readonly name?: string; readonly annotations?: Readonly<Record<string, string>> };
      readonly spec?: {
        readonly serviceAccountName?: string;
        readonly containers?: readonly {
          readonly image?: string;
          readonly env?: readonly { readonly name: string; readonly value?: string }[];
        }[];
      };
    };
    readonly traffic?: readonly {
      readonly latestRevision?: boolean;
      readonly revisionName?: string;
      readonly percent?: number;
      readonly tag?: string;
    }[];
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly url?: string;
    readonly latestReadyRevisionName?: string;
    readonly latestCreatedRevisionName?: string;
    readonly traffic?: readonly {
      readonly revisionName?: string;
      readonly percent?: number;
      readonly tag?: string;
      readonly url?: string;
    }[];
    readonly conditions?: readonly {
      readonly type?: string;
      readonly status?: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

/** A service as Google's API describes it, in our shape. */
export function readService({ metadata, spec, status }: KnativeService, { service, project, region }: ServiceName): Service {
  const annotations = metadata?.annotations ?? {};
  const url = status?.url ?? "";
  const { containers, serviceAccountName } = spec?.template?.spec ?? {};
  return {
    service,
    project,
    region,
    url,
    urls: [...new Set([...list(annotations["run.googleapis.com/urls"]), ...(url ? [url] : [])])],
    revision: status?.latestReadyRevisionName ?? null,
    latest_created_revision: status?.latestCreatedRevisionName ?? null,
    image: containers?.[0]?.image ?? null,
    service_account: serviceAccountName ?? null,
    ingress: annotations["run.googleapis.com/ingress"] ?? "all",
    custom_audiences: list(annotations["run.googleapis.com/custom-audiences"]),
    default_url_disabled: isOn(annotations["run.googleapis.com/default-url-disabled"]),
    invoker_iam_disabled: isOn(annotations["run.googleapis.com/invoker-iam-disabled"]),
    iap_enabled: isOn(annotations["run.googleapis.com/iap-enabled"]),
    traffic: (status?.traffic ?? []).map(({ revisionName, percent, tag, url: tagUrl }) => ({
      revision: revisionName ?? "",
      percent: percent ?? 0,
      tag: tag ?? null,
      url: tagUrl ?? null,
    })),
    conditions: (status?.conditions ?? []).map(({ type, status: state, reason, message }) => ({
      type: type ?? "",
      status: state ?? "Unknown",
      reason: reason ?? null,
      message: message ?? null,
    })),
  };
}

/** A list that an annotation holds as JSON. */
function list(annotation: string | undefined): string[] {
  return annotation === undefined ? [] : (JSON.parse(annotation) as string[]);
}

/** gcloud writes `True`, other clients `true`. */
function isOn(annotation: string | undefined): boolean {
  return annotation?.toLowerCase() === "true";
}
