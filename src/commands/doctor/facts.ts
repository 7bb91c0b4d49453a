import type { Credentials } from "../../auth/credentials.ts";
import { findCredentials } from "../../auth/find-credentials.ts";
import { readServiceUrl } from "../../auth/audience.ts";
import { openApiClient, type ApiClient } from "../../cloud/api/client.ts";
import { chooseBackEnd, findGcloud } from "../../cloud/open-cloud.ts";
import type { Service } from "../../cloud/service.ts";
import type { Place, ServiceName } from "../../cloud/names.ts";
import { readService, type KnativeService } from "../../cloud/messages/knative-service.ts";
import { serviceUrl } from "../../cloud/messages/knative-url.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { createSend, type Send } from "../../http/client.ts";
import { findDeployer } from "./deployer.ts";
import { reachGoogle, type Reached } from "./reach-google.ts";
import { need, Skipped } from "./check.ts";

export interface Project {
  readonly id: string;
  /** Decimal digits; undefined where Resource Manager could not be asked. */
  readonly number: string | undefined;
}

/** What the checks look at. Each fact is looked up once, when the first check wants it; it throws CliError where it is not to be had. */
export interface World {
  /** Its signal and its requests end when the checks' time is over. */
  readonly context: Context;
  /** Which way the control plane is used. */
  readonly via: "gcloud" | "api";
  /** Where gcloud is on PATH. */
  readonly gcloud: string | undefined;
  reached(): Promise<Reached>;
  /** What services are called with. */
  caller(): Promise<Credentials>;
  /** What the control plane is used with. */
  deployer(): Promise<Credentials>;
  /** Google's APIs as the deployer, who has been let in. */
  client(): Promise<ApiClient>;
  place(): Promise<Place>;
  project(): Promise<Project>;
  /** Which service it is about; Skipped where none is set. */
  serviceName(): Promise<ServiceName>;
  service(): Promise<Service>;
  /** The service's URL: the one that is set, or Cloud Run's. */
  url(): Promise<URL>;
  /** An ID token of the caller for an audience. */
  idToken(): Promise<string>;
}

/** Whether something fails since an API is not enabled. */
export function isNotEnabled(error: unknown): boolean {
  return error instanceof CliError && error.reason === "API_NOT_ENABLED";
}

/** The audience where no service is known: that a token is to be had at all is seen by any. */
const STAND_IN = "https://run.app";

export function openWorld(outer: Context, signal: AbortSignal): World {
  let opened: Send | undefined;
  // A variable that names no proxy is a finding, like everything else.
  const send: Send = async (request) => (opened ??= createSend({ env: outer.env, signal, debug: outer.terminal.debug }))(request);
  const context: Context = { ...outer, signal, send };
  const { settings } = context;
  const gcloud = findGcloud(context.env);

  const reached = once(() => reachGoogle(send));
  const caller = once(() => findCredentials(settings.get("credentials"), context));
  const deployer = once(() => findDeployer(context, world.via));
  const place = once(async () => ({ project: settings.require("project"), region: settings.require("region") }));
  const client = once(async () => {
    await need("network", reached());
    const credentials = await deployer();
    await credentials.fetchAccessToken();
    return openApiClient(context, await place(), async () => credentials);
  });
  const project = once(async () => {
    const { project: id } = await place();
    return lookUpProject(await need("deploy-credentials", client()), id);
  });
  const serviceName = once(async () => {
    const url = settings.get("url")?.value;
    const named = url !== undefined && URL.canParse(url) ? readServiceUrl(new URL(url)) : undefined;
    const service = settings.get("service")?.value ?? named?.service;
    if (service === undefined) throw new Skipped("No service is set.");
    const { project, region } = await need("project", place());
    return { service, project, region: named?.region ?? region };
  });
  const service = once(async () => {
    const name = await serviceName();
    await need("project", project());
    const found = (await (await client()).call({ method: "GET", url: serviceUrl(name) })) as KnativeService;
    return readService(found, name);
  });
  const url = once(async () => {
    const named = settings.get("url")?.value;
    if (named !== undefined) return new URL(named);
    const { url: found } = await need("service", service());
    if (found === "") throw new Skipped("The service has no URL yet.");
    return new URL(found);
  });
  const idToken = once(async () => {
    const { audienceFor } = await import("../../auth/audience.ts");
    const audience = await url().then(audienceFor, () => STAND_IN);
    return (await caller()).fetchIdToken(audience);
  });
  const world: World = {
    context,
    get via() {
      return chooseBackEnd(context);
    },
    gcloud,
    reached,
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
  return world;
}

/** Throws NOT_FOUND for one that was deleted, PERMISSION_DENIED for one that is not there, which Google does not tell from one that is hidden. */
async function lookUpProject(client: ApiClient, id: string): Promise<Project> {
  const url = `https://cloudresourcemanager.googleapis.com/v1/projects/${id}`;
  try {
    const { projectNumber, lifecycleState } = (await client.call({ method: "GET", url })) as Readonly<Record<string, string>>;
    if (lifecycleState === "ACTIVE") return { id, number: projectNumber };
    throw new CliError("NOT_FOUND", `Project ${id} has been deleted (${lifecycleState}).`, {
      hint: `gcloud projects undelete ${id}`,
      details: { project: id, state: lifecycleState },
    });
  } catch (error) {
    if (isNotEnabled(error)) return { id, number: undefined };
    throw error;
  }
}

function once<T>(look: () => Promise<T>): () => Promise<T> {
  let known: Promise<T> | undefined;
  return () => {
    known ??= look();
    // Whether anybody waits for it or not, a failure is no failure of the process.
    known.catch(() => {});
    return known;
  };
}
