import type { CloudContext } from "../cloud-context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { buildByApi, planApiBuild } from "./build.ts";
import { assertUnderstood, withFlags } from "./flags.ts";
import { failedWith, type ApiClient, type ApiRequest } from "./client.ts";
import { pause, withRetry } from "../retry.ts";
import type { BuildOptions, DeployOptions, Service } from "../cloud.ts";
import type { ServiceName } from "../names.ts";
import { readService, type KnativeService } from "../messages/knative-service.ts";
import { serviceUrl } from "../messages/knative-url.ts";
import { defaultImage, sourceImage } from "../repository.ts";
import { isMarked, noRevisionYet, withRevision, type ServiceMessage, type Written } from "../messages/v2-service.ts";

const RUN = "https://run.googleapis.com/v2";
/** Milliseconds between two looks at a deployment: at first, and at most. */
const FIRST_PAUSE = 150;
const LONGEST_PAUSE = 3000;
/** How often others may be faster. */
const CONFLICTS = 10;
/** How often in a row a deployment may not be seen until it is given up: some minutes. */
const PATIENCE = 20;

interface Deployed {
  readonly service: Service;
  readonly isNew: boolean;
}

/** Creates the service, or gives it a revision with the new image and keeps the rest; resolves when the revision is ready. */
export async function deployByApi(
  client: ApiClient,
  options: DeployOptions,
  context: Pick<CloudContext, "terminal" | "signal">,
): Promise<Deployed> {
  assertUnderstood(options.gcloudFlags);
  const { signal } = context;
  let { image = defaultImage(options) } = options;
  if (options.source !== undefined) {
    if (options.noTraffic && !(await find(client, options))) throw noRevisionYet();
    const built = await buildByApi(client, buildOf(options, options.source), context);
    // What was built is what is deployed, whoever else builds meanwhile.
    image = built.digest ? `${built.image}@${built.digest}` : built.image;
  }
  const { operation, isNew } = await write(client, options, image, signal);
  await settle(client, options, operation, signal);
  const service = (await client.call({ method: "GET", url: serviceUrl(options) })) as KnativeService;
  return { service: readService(service, options), isNew };
}

/** The requests of a deployment, in order, for a service that is not there yet. */
export function planApiDeploy(options: DeployOptions): ApiRequest[] {
  assertUnderstood(options.gcloudFlags);
  const source = options.source === undefined ? undefined : buildOf(options, options.source);
  const image = source ? `${source.image}@DIGEST` : (options.image ?? defaultImage(options));
  const operation: ApiRequest = { method: "GET", url: `${RUN}/projects/${options.project}/locations/${options.region}/operations/ID` };
  const planned = { ...options, noTraffic: false };
  return [
    ...(source ? planApiBuild(source) : []),
    { method: "GET", url: messageUrl(options) },
    creation(planned, image, "ID"),
    operation,
    { method: "GET", url: serviceUrl(options) },
  ];
}

/** What a deployment's flags say is of the service, not of its build. */
function buildOf(options: DeployOptions, directory: string): BuildOptions {
  return { ...options, directory, image: sourceImage(options), gcloudFlags: [] };
}

function messageUrl({ project, region, service }: ServiceName): string {
  return `${RUN}/projects/${project}/locations/${region}/services/${service}`;
}

async function find(client: ApiClient, options: ServiceName): Promise<ServiceMessage | undefined> {
  try {
    return (await client.call({ method: "GET", url: messageUrl(options) })) as ServiceMessage;
  } catch (error) {
    if (error instanceof CliError && error.code === "NOT_FOUND" && error.subject?.kind === "service") return undefined;
    throw error;
  }
}

interface Operation {
  readonly name: string;
  readonly done?: boolean;
  readonly error?: { readonly message?: string };
}

interface Started {
  /** None where its name got lost with an answer. */
  readonly operation?: Operation;
  readonly isNew: boolean;
}

/** Writes the revision, and only one: where an answer got lost, the service is known again by the deployment's mark. */
async function write(client: ApiClient, options: DeployOptions, image: string, signal: AbortSignal): Promise<Started> {
  const mark = crypto.randomUUID();
  let isNew = false;
  return withRetry(
    async (attempt) => {
      const existing = await find(client, options);
      if (existing && attempt > 1 && isMarked(existing, mark)) return { isNew };
      isNew = !existing;
      const request = existing ? update(options, image, existing, mark) : creation(options, image, mark);
      return { operation: (await client.call(request)) as Operation, isNew };
    },
    { signal, conflicts: CONFLICTS },
  );
}

function creation(options: DeployOptions, image: string, mark: string): ApiRequest {
  const { project, region, service } = options;
  const url = `${RUN}/projects/${project}/locations/${region}/services?serviceId=${service}`;
  return { method: "POST", url, body: written(options, image, undefined, mark).message };
}

/** A new revision, as by gcloud, even where the image's name is the same: what it stands for may be another. */
function update(options: DeployOptions, image: string, existing: ServiceMessage, mark: string): ApiRequest {
  const { message, mask } = written(options, image, existing, mark);
  return { method: "PATCH", url: `${messageUrl(options)}?updateMask=${mask.join(",")}&forceNewRevision=true`, body: message };
}

function written(options: DeployOptions, image: string, existing: ServiceMessage | undefined, mark: string): Written {
  return withFlags(withRevision(options, image, existing, mark), options.gcloudFlags, existing?.labels);
}

/** Waits until a deployment is done. Throws DEPLOY_FAILED, or what the reason means, where it failed. */
async function settle(client: ApiClient, options: DeployOptions, operation: Operation | undefined, signal: AbortSignal): Promise<void> {
  const url = operation ? `${RUN}/${operation.name}` : messageUrl(options);
  let seen: unknown = operation;
  for (let wait = FIRST_PAUSE; ; wait = Math.min(wait * 1.5, LONGEST_PAUSE)) {
    const outcome = operation ? readOperation(seen as Operation) : readCondition((seen ?? { reconciling: true }) as ServiceMessage);
    if (outcome === "done") return;
    if (outcome) throw failedWith(outcome.message, options);
    await pause(wait, signal);
    seen = await withRetry(() => client.call({ method: "GET", url }), { signal, failures: PATIENCE });
  }
}

type Outcome = "done" | { readonly message: string } | undefined;

function readOperation({ done, error }: Operation): Outcome {
  if (!done) return undefined;
  return error ? { message: error.message ?? "The revision did not become ready." } : "done";
}

function readCondition({ reconciling, terminalCondition: { state, message } = {} }: ServiceMessage): Outcome {
  if (reconciling) return undefined;
  if (state === "CONDITION_FAILED") return { message: message ?? "The revision did not become ready." };
  return state === "CONDITION_SUCCEEDED" ? "done" : undefined;
}
