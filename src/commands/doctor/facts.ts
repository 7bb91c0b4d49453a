import { findCredentials } from "../../auth/find-credentials.ts";
import { audienceFor, readServiceUrl } from "../../auth/audience.ts";
import { openApiClient, type ApiClient } from "../../cloud/api/client.ts";
import { chooseBackEnd, findGcloud } from "../../cloud/open-cloud.ts";
import { readService, type KnativeService } from "../../cloud/messages/knative-service.ts";
import { serviceUrl } from "../../cloud/messages/knative-url.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { externalStep } from "../../errors/next-step.ts";
import { createSend } from "../../http/client.ts";
import type { Send } from "../../http/request.ts";
import { findDeployer } from "./deployer.ts";
import { probeGoogle } from "./probe-google.ts";
import { ignoreMissing, Skipped, requireFact } from "./require-fact.ts";

export interface Project {
  readonly id: string;
  /** Decimal digits; undefined if the Resource Manager API isn't enabled. */
  readonly number: string | undefined;
}

/** What the checks look at. Each fact is looked up once, when a check first needs it, and throws CliError if it can't be. */
export type Facts = ReturnType<typeof openFacts>;

/** True if the error says that an API isn't enabled. */
export function isNotEnabled(error: unknown): boolean {
  return error instanceof CliError && error.reason === "API_NOT_ENABLED";
}

/** The audience if no service is known: any shows whether the caller can get a token. */
const PLACEHOLDER_AUDIENCE = "https://run.app";

export function openFacts(commandContext: Context, signal: AbortSignal) {
  const { env, terminal } = commandContext;
  let opened: Send | undefined;
  // Opened late, so that a proxy variable that isn't valid is a finding.
  const send: Send = async (request) => (opened ??= createSend({ env, signal, debug: terminal.debug }))(request);
  /** Its signal and requests are aborted when the checks' time is over. */
  const context: Context = { ...commandContext, signal, send };
  const { settings } = context;
  const backEnd = () => chooseBackEnd(context);

  const googleProbe = once(() => probeGoogle(send));
  /** The credentials that services are called with. */
  const caller = once(() => findCredentials(settings.get("credentials"), context));
  /** The credentials that the control plane is used with. */
  const deployer = once(() => findDeployer(context, backEnd()));
  const place = once(async () => ({ project: settings.require("project"), region: settings.require("region") }));
  /** Google's APIs, with an access token of the deployer. */
  const client = once(async () => {
    await requireFact("network", googleProbe());
    const credentials = await deployer();
    await credentials.fetchAccessToken();
    return openApiClient(context, await place(), async () => credentials);
  });
  const project = once(async () => {
    const { project: id } = await place();
    return lookUpProject(await requireFact("deploy-credentials", client()), id);
  });
  /** The service that the settings name. Throws Skipped if they name none. */
  const serviceName = once(async () => {
    const url = settings.get("url")?.value;
    const named = url !== undefined && URL.canParse(url) ? readServiceUrl(new URL(url)) : undefined;
    const service = settings.get("service")?.value ?? named?.service;
    if (service === undefined) throw new Skipped("No service specified.");
    const { project, region } = await requireFact("project", place());
    return { service, project, region: named?.region ?? region };
  });
  const service = once(async () => {
    const name = await serviceName();
    await requireFact("project", project());
    return readService(await (await client()).call<KnativeService>({ method: "GET", url: serviceUrl(name) }), name);
  });
  /** The service's URL: the setting, or else Cloud Run's. */
  const url = once(async () => {
    const named = settings.get("url")?.value;
    if (named !== undefined) return new URL(named);
    const { url: cloudRunUrl } = await requireFact("service", service());
    if (cloudRunUrl === "") throw new Skipped("The service doesn't have a URL yet.");
    return new URL(cloudRunUrl);
  });
  /** An ID token of the caller for the service. */
  const idToken = once(async () => {
    const audience = await url().then(audienceFor, () => PLACEHOLDER_AUDIENCE);
    return (await caller()).fetchIdToken(audience);
  });
  return {
    context,
    /** How commands reach the control plane. */
    get via() {
      return backEnd();
    },
    /** The path of gcloud, if it is on PATH. */
    gcloud: findGcloud(env),
    googleProbe,
    caller,
    deployer,
    client,
    place,
    project,
    serviceName,
    service,
    url,
    idToken,
  };
}

/** Throws NOT_FOUND for a deleted project, and PERMISSION_DENIED for one that doesn't exist, which Google doesn't distinguish from a hidden one. */
async function lookUpProject(client: ApiClient, id: string): Promise<Project> {
  const url = `https://cloudresourcemanager.googleapis.com/v1/projects/${id}`;
  try {
    const { projectNumber, lifecycleState } = await client.call<Readonly<Record<string, string>>>({ method: "GET", url });
    if (lifecycleState === "ACTIVE") return { id, number: projectNumber };
    throw new CliError("NOT_FOUND", `Project ${id} was deleted (${lifecycleState}).`, {
      next: [externalStep("To restore it", "gcloud", "projects", "undelete", id)],
      details: { project: id, state: lifecycleState },
    });
  } catch (error) {
    if (isNotEnabled(error)) return { id, number: undefined };
    throw error;
  }
}

/** Names the deployer at the beginning of a sentence. */
export async function describeDeployer({ deployer }: Facts): Promise<string> {
  return (await deployer().catch(ignoreMissing))?.principal?.replace(/^.*?:/, "") ?? "Your account";
}

function once<T>(lookUp: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= lookUp();
    // A rejection that no check awaits must not end the process.
    result.catch(() => {});
    return result;
  };
}

/** Looks up what several checks of one group need, once for each run. */
export function oncePerRun<T>(lookUp: (facts: Facts) => Promise<T>): (facts: Facts) => Promise<T> {
  const results = new WeakMap<Facts, Promise<T>>();
  return (facts) => {
    const result = results.get(facts) ?? lookUp(facts);
    results.set(facts, result);
    return result;
  };
}
