import { dirname, resolve } from "node:path";
import { ensureAccount } from "../../../cloud/api/accounts.ts";
import { openApiClient, type ApiClient } from "../../../cloud/api/client.ts";
import { readMember } from "../../../cloud/member.ts";
import { defaultImage } from "../../../cloud/repository.ts";
import type { ServiceMessage } from "../../../cloud/messages/v2-service.ts";
import type { Context } from "../../../context/context.ts";
import type { EmulatorStatus } from "../../../emulator/index.ts";
import { CliError } from "../../../errors/cli-error.ts";
import { createOperatorContext } from "../../../context/operator-context.ts";
import { provideKeyFile } from "./key-files.ts";
import { ensureUser, provideLogin } from "./logins.ts";
import { addBindings } from "./policies.ts";
import type { Seed, SeedAccount, SeedProject, SeedService, SeedUser } from "./seed-file.ts";

/** One thing that a seed file asks for, and whether it was there already. */
export interface Planted {
  readonly kind: "user" | "login" | "project" | "account" | "key" | "policy" | "bucket" | "service";
  readonly name: string;
  readonly made: boolean;
}

/** Brings about what a seed file asks for, in a running emulator. What is there already stays, so that it may be planted again. */
export async function plant(context: Context, running: EmulatorStatus, seed: Seed, file: string): Promise<Planted[]> {
  const planted: Planted[] = [];
  const bed = {
    around: context,
    running,
    folder: dirname(file),
    note: (...[kind, name, made]: [Planted["kind"], string, boolean]) => void planted.push({ kind, name, made }),
  };
  for (const wanted of seed.users) await plantUser(bed, wanted);
  for (const wanted of seed.projects) await plantProject(bed, wanted);
  return planted;
}

interface Bed {
  readonly around: Context;
  readonly running: EmulatorStatus;
  /** What the file's paths are relative to. */
  readonly folder: string;
  readonly note: (kind: Planted["kind"], name: string, made: boolean) => void;
}

async function plantUser({ around, running, folder, note }: Bed, { email, credentials }: SeedUser): Promise<void> {
  note("user", email, await ensureUser(around, running, email));
  if (credentials === undefined) return;
  const path = resolve(folder, credentials);
  note("login", path, await provideLogin(around, running, email, path));
}

interface Plot extends Bed {
  readonly project: string;
  readonly client: ApiClient;
}

async function plantProject(bed: Bed, wanted: SeedProject): Promise<void> {
  const { project = bed.running.project } = wanted;
  bed.note("project", project, await ensureProject(bed, project));
  const context = createOperatorContext(bed.around, bed.running, { project });
  const plot = { ...bed, project, client: openApiClient(context, { project, region: bed.running.region }) };
  for (const account of wanted.accounts) await plantAccount(plot, account);
  for (const { name, location } of wanted.buckets) {
    const body = { name, location };
    bed.note("bucket", name, await ensured(plot.client, `https://storage.googleapis.com/storage/v1/b?project=${project}`, body));
  }
  for (const service of wanted.services) await plantService(plot, service);
  const owner = { url: `https://cloudresourcemanager.googleapis.com/v1/projects/${project}`, method: "POST" } as const;
  if (wanted.bindings.length > 0) bed.note("policy", project, await addBindings(plot.client, owner, wanted.bindings));
}

/** As the operator of the emulator's own project, since nobody is another one's yet. */
async function ensureProject({ around, running }: Bed, project: string): Promise<boolean> {
  if (project === running.project) return false;
  const client = openApiClient(createOperatorContext(around, running), running);
  return ensured(client, "https://cloudresourcemanager.googleapis.com/v1/projects", { projectId: project, name: project });
}

async function ensured(client: ApiClient, url: string, body: object): Promise<boolean> {
  try {
    await client.call({ method: "POST", url, body });
    return true;
  } catch (error) {
    if (error instanceof CliError && error.code === "CONFLICT") return false;
    throw error;
  }
}

async function plantAccount({ project, client, folder, note }: Plot, account: SeedAccount): Promise<void> {
  const email = account.email.includes("@") ? account.email : `${account.email}@${project}.iam.gserviceaccount.com`;
  const { display_name: displayName, description } = account;
  const url = `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts/${email}`;
  note("account", email, await ensureAccount(client, { project, email, displayName, description }));
  for (const file of account.keys) {
    const path = resolve(folder, file);
    note("key", path, await provideKeyFile(client, { project, email }, path));
  }
  if (account.bindings.length > 0) note("policy", email, await addBindings(client, { url, method: "POST" }, account.bindings));
  if (account.disabled !== undefined)
    await client.call({ method: "POST", url: `${url}:${account.disabled ? "disable" : "enable"}`, body: {} });
}

async function plantService(plot: Plot, wanted: SeedService): Promise<void> {
  const { around, running, project, folder, client, note } = plot;
  const { name: service, region = running.region } = wanted;
  const cloud = await createOperatorContext(around, running, { project, region }).cloud();
  const place = { project, region, service };
  let { image } = wanted;
  if (wanted.source !== undefined) {
    const { digest } = await cloud.build({ ...place, directory: resolve(folder, wanted.source), image: defaultImage(place) });
    image = `${defaultImage(place)}@${digest}`;
  }
  const url = `/projects/${project}/locations/${region}/services/${service}`;
  const found = await find(client, `https://run.googleapis.com/v2${url}`);
  // A deployment makes a revision, even of what is there already.
  const isDue = !found || !runs(found, image, wanted);
  if (isDue) await cloud.deploy({ ...place, image, env: wanted.env, serviceAccount: wanted.service_account, allowUnauthenticated: false });
  const invokers = [...(wanted.allow_unauthenticated ? ["allUsers"] : []), ...wanted.members.map(readMember)];
  const bindings = [...(invokers.length > 0 ? [{ role: "roles/run.invoker", members: invokers }] : []), ...wanted.bindings];
  const isGranted = await addBindings(client, { url: `https://run.googleapis.com/v1${url}`, method: "GET" }, bindings);
  note("service", `${project}/${region}/${service}`, isDue || isGranted);
}

async function find(client: ApiClient, url: string): Promise<ServiceMessage | undefined> {
  try {
    return (await client.call({ method: "GET", url })) as ServiceMessage;
  } catch (error) {
    if (error instanceof CliError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

/** Whether a service is ready, and has what is wanted. */
function runs({ template = {}, terminalCondition }: ServiceMessage, image: string | undefined, wanted: SeedService): boolean {
  const [container] = template.containers ?? [];
  const isSet = ([name, value]: readonly [string, string]) => container?.env?.some((each) => each.name === name && each.value === value);
  return (
    terminalCondition?.state === "CONDITION_SUCCEEDED" &&
    container?.image === image &&
    (wanted.service_account === undefined || template.serviceAccount === wanted.service_account) &&
    Object.entries(wanted.env ?? {}).every(isSet)
  );
}
