import { CliError } from "../../errors/cli-error.ts";
import type { BuildOptions, DeployOptions } from "../cloud.ts";
import type { Service } from "../service.ts";
import type { CloudContext } from "../cloud-context.ts";
import { readService, type KnativeService } from "../messages/knative-service.ts";
import { isMarked, noServingRevision, withRevision, type ServiceMessage, type ServiceUpdate } from "../messages/v2-service.ts";
import type { ServiceName } from "../names.ts";
import { INVOKER_ROLE } from "../permissions.ts";
import { defaultImage, sourceImage } from "../repository.ts";
import { withRetry } from "../retry.ts";
import { defineVerb, type Verb } from "../verb.ts";
import { build, planBuild } from "./build.ts";
import { requestLine, type ApiClient, type ApiRequest } from "./client.ts";
import { assertFlagsSupported, applyFlags } from "./deploy-flags.ts";
import { deployFailure } from "./errors.ts";
import { changeMembers, planBinding, withMember, withoutMember } from "./policy.ts";
import { pollRequest, type Operation } from "./poll-request.ts";
import { serviceRequest } from "./replace-service.ts";
import type { ClientFor } from "./request-verb.ts";

const RUN = "https://run.googleapis.com/v2";
/** After this time, the deployment says what it waits for. */
const SLOW_START_MS = 10_000;
const POLL_PAUSES = { firstPauseMs: 150, maxPauseMs: 3000 };
const MAX_CONFLICTS = 10;

/** Creates the service, or a revision of it with the new image that keeps everything else; resolves when the revision is ready. */
export function deployVerb(clientFor: ClientFor, context: Pick<CloudContext, "terminal" | "signal">): Verb<DeployOptions, Service> {
  const { signal } = context;
  return defineVerb({
    plan: (options) => planDeploy(options).map(requestLine),
    async run(options) {
      assertFlagsSupported(options.gcloudFlags);
      const client = clientFor(options);
      const { operation, isNew } = await write(client, options, await provideImage(client, options, context), signal);
      await waitUntilReady(client, options, operation, signal);
      const service = readService(await client.call<KnativeService>(serviceRequest(options)), options);
      // A new service is private.
      if (isNew && !options.allowUnauthenticated) return service;
      const change = options.allowUnauthenticated ? withMember("allUsers") : withoutMember("allUsers");
      await changeMembers(client, options, INVOKER_ROLE, change, signal);
      return service;
    },
  });
}

function planDeploy(options: DeployOptions): ApiRequest[] {
  assertFlagsSupported(options.gcloudFlags);
  const source = options.source === undefined ? undefined : buildOptions(options, options.source);
  const image = source ? `${source.image}@DIGEST` : (options.image ?? defaultImage(options));
  return [
    ...(source ? planBuild(source) : []),
    { method: "GET", url: messageUrl(options) },
    createRequest({ ...options, noTraffic: false }, image, "ID"),
    { method: "GET", url: `${RUN}/projects/${options.project}/locations/${options.region}/operations/ID` },
    serviceRequest(options),
    ...(options.allowUnauthenticated ? planBinding(options, { role: INVOKER_ROLE, members: ["allUsers"] }) : []),
  ];
}

async function provideImage(
  client: ApiClient,
  options: DeployOptions,
  context: Pick<CloudContext, "terminal" | "signal">,
): Promise<string> {
  if (options.source === undefined) return options.image ?? defaultImage(options);
  if (options.noTraffic && !(await findService(client, options))) throw noServingRevision();
  const { image, digest } = await build(client, buildOptions(options, options.source), context);
  // With the digest, another build at the same time changes nothing.
  return digest ? `${image}@${digest}` : image;
}

/** The flags of a deployment are about the service, not about its build. */
function buildOptions(options: DeployOptions, directory: string): BuildOptions {
  return { ...options, directory, image: sourceImage(options), gcloudFlags: [] };
}

function messageUrl({ project, region, service }: ServiceName): string {
  return `${RUN}/projects/${project}/locations/${region}/services/${service}`;
}

async function findService(client: ApiClient, options: ServiceName): Promise<ServiceMessage | undefined> {
  try {
    return await client.call<ServiceMessage>({ method: "GET", url: messageUrl(options) });
  } catch (error) {
    if (error instanceof CliError && error.code === "NOT_FOUND" && error.subject?.kind === "service") return undefined;
    throw error;
  }
}

interface Started {
  /** Undefined if its name got lost with a response. */
  readonly operation?: Operation;
  readonly isNew: boolean;
}

/** Writes exactly one revision: if a response got lost, the deployment's mark on the service tells that it was written. */
async function write(client: ApiClient, options: DeployOptions, image: string, signal: AbortSignal): Promise<Started> {
  const mark = crypto.randomUUID();
  let isNew = false;
  return withRetry(
    async (attempt) => {
      const existing = await findService(client, options);
      if (existing && attempt > 1 && isMarked(existing, mark)) return { isNew };
      isNew = !existing;
      const request = existing ? updateRequest(options, image, existing, mark) : createRequest(options, image, mark);
      return { operation: await client.call<Operation>(request), isNew };
    },
    { signal, conflicts: MAX_CONFLICTS },
  );
}

function createRequest(options: DeployOptions, image: string, mark: string): ApiRequest {
  const { project, region, service } = options;
  const url = `${RUN}/projects/${project}/locations/${region}/services?serviceId=${service}`;
  return { method: "POST", url, body: withOptions(options, image, undefined, mark).message };
}

/** Always creates a revision, as gcloud does: an image's name can stand for another image than before. */
function updateRequest(options: DeployOptions, image: string, existing: ServiceMessage, mark: string): ApiRequest {
  const { message, mask } = withOptions(options, image, existing, mark);
  return { method: "PATCH", url: `${messageUrl(options)}?updateMask=${mask.join(",")}&forceNewRevision=true`, body: message };
}

function withOptions(options: DeployOptions, image: string, existing: ServiceMessage | undefined, mark: string): ServiceUpdate {
  return applyFlags(withRevision(options, image, existing, mark), options.gcloudFlags, existing?.labels);
}

async function waitUntilReady(client: ApiClient, options: DeployOptions, operation: Operation | undefined, signal: AbortSignal) {
  const started = performance.now();
  const check =
    <Message>(read: (message: Message) => Outcome | undefined) =>
    (message: Message) => {
      const outcome = read(message);
      const isSlow = performance.now() - started > SLOW_START_MS;
      if (!outcome && isSlow) options.tell?.("Waiting for the container to start (up to 4 minutes)");
      return outcome;
    };
  const outcome = operation
    ? await pollRequest(client, `${RUN}/${operation.name}`, check(operationOutcome), { signal, ...POLL_PAUSES, known: operation })
    : await pollRequest(client, messageUrl(options), check(serviceOutcome), { signal, ...POLL_PAUSES });
  if (outcome !== "ready") throw deployFailure(outcome.message ?? "The revision didn't become ready.", options);
}

type Outcome = "ready" | { readonly message?: string };

function operationOutcome({ done, error }: Operation): Outcome | undefined {
  return done ? (error ?? "ready") : undefined;
}

function serviceOutcome({ reconciling, terminalCondition: { state, message } = {} }: ServiceMessage): Outcome | undefined {
  if (reconciling) return undefined;
  if (state === "CONDITION_FAILED") return { message };
  return state === "CONDITION_SUCCEEDED" ? "ready" : undefined;
}
