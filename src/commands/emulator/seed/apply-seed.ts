import { dirname, resolve } from "node:path";
import { ensureAccount } from "../../../cloud/api/accounts.ts";
import { openApiClient, type ApiClient } from "../../../cloud/api/client.ts";
import { readMember } from "../../../auth/member.ts";
import { defaultImage } from "../../../cloud/repository.ts";
import type { ServiceMessage } from "../../../cloud/messages/v2-service.ts";
import type { Context } from "../../../context/context.ts";
import type { EmulatorStatus } from "../../../emulator/index.ts";
import { CliError } from "../../../errors/cli-error.ts";
import { createOperatorContext } from "../../../context/operator-context.ts";
import { ensureKeyFile } from "./key-files.ts";
import { ensureUser, ensureLogin } from "./logins.ts";
import { addBindings } from "./policies.ts";
import type { Seed, SeedAccount, SeedProject, SeedService, SeedUser } from "./seed-file.ts";

/** A resource of a seed file, and whether it was created. */
export interface SeedResult {
  readonly kind: "user" | "login" | "project" | "account" | "key" | "policy" | "bucket" | "service";
  readonly name: string;
  readonly made: boolean;
}

/** Creates the resources of a seed file that don't exist in a running emulator, so that a file can be applied again. */
export async function applySeed(context: Context, running: EmulatorStatus, seed: Seed, file: string): Promise<SeedResult[]> {
  const results: SeedResult[] = [];
  const target = {
    context,
    running,
    folder: dirname(file),
    report: (...[kind, name, made]: [SeedResult["kind"], string, boolean]) => void results.push({ kind, name, made }),
  };
  for (const wanted of seed.users) await applyUser(target, wanted);
  for (const wanted of seed.projects) await applyProject(target, wanted);
  return results;
}

interface SeedTarget {
  readonly context: Context;
  readonly running: EmulatorStatus;
  /** The folder of the seed file: its paths are relative to it. */
  readonly folder: string;
  readonly report: (kind: SeedResult["kind"], name: string, made: boolean) => void;
}

async function applyUser({ context, running, folder, report }: SeedTarget, { email, credentials }: SeedUser): Promise<void> {
  report("user", email, await ensureUser(context, running, email));
  if (credentials === undefined) return;
  const path = resolve(folder, credentials);
  report("login", path, await ensureLogin(context, running, email, path));
}

interface ProjectTarget extends SeedTarget {
  readonly project: string;
  readonly client: ApiClient;
}

async function applyProject(target: SeedTarget, wanted: SeedProject): Promise<void> {
  const { project = target.running.project } = wanted;
  target.report("project", project, await ensureProject(target, project));
  const operator = createOperatorContext(target.context, target.running, { project });
  const projectTarget = { ...target, project, client: openApiClient(operator, { project, region: target.running.region }) };
  for (const account of wanted.accounts) await applyAccount(projectTarget, account);
  for (const { name, location } of wanted.buckets) {
    const url = `https://storage.googleapis.com/storage/v1/b?project=${project}`;
    target.report("bucket", name, await createUnlessExists(projectTarget.client, url, { name, location }));
  }
  for (const service of wanted.services) await applyService(projectTarget, service);
  const owner = { url: `https://cloudresourcemanager.googleapis.com/v1/projects/${project}`, method: "POST" } as const;
  if (wanted.bindings.length > 0) target.report("policy", project, await addBindings(projectTarget.client, owner, wanted.bindings));
}

/** Creates a project as the operator of the emulator's own project, since a new one has no operator. */
async function ensureProject({ context, running }: SeedTarget, project: string): Promise<boolean> {
  if (project === running.project) return false;
  const client = openApiClient(createOperatorContext(context, running), running);
  return createUnlessExists(client, "https://cloudresourcemanager.googleapis.com/v1/projects", { projectId: project, name: project });
}

async function createUnlessExists(client: ApiClient, url: string, body: object): Promise<boolean> {
  try {
    await client.call({ method: "POST", url, body });
    return true;
  } catch (error) {
    if (error instanceof CliError && error.code === "CONFLICT") return false;
    throw error;
  }
}

async function applyAccount({ project, client, folder, report }: ProjectTarget, account: SeedAccount): Promise<void> {
  const email = account.email.includes("@") ? account.email : `${account.email}@${project}.iam.gserviceaccount.com`;
  const { display_name: displayName, description } = account;
  const url = `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts/${email}`;
  report("account", email, await ensureAccount(client, { project, email, displayName, description }));
  for (const file of account.keys) {
    const path = resolve(folder, file);
    report("key", path, await ensureKeyFile(client, { project, email }, path));
  }
  if (account.bindings.length > 0) report("policy", email, await addBindings(client, { url, method: "POST" }, account.bindings));
  if (account.disabled !== undefined)
    await client.call({ method: "POST", url: `${url}:${account.disabled ? "disable" : "enable"}`, body: {} });
}

async function applyService(projectTarget: ProjectTarget, wanted: SeedService): Promise<void> {
  const { context, running, project, folder, client, report } = projectTarget;
  const { name: service, region = running.region } = wanted;
  const cloud = await createOperatorContext(context, running, { project, region }).cloud();
  const place = { project, region, service };
  let { image } = wanted;
  if (wanted.source !== undefined) {
    const { digest } = await cloud.build({ ...place, directory: resolve(folder, wanted.source), image: defaultImage(place) });
    image = `${defaultImage(place)}@${digest}`;
  }
  const url = `/projects/${project}/locations/${region}/services/${service}`;
  const existing = await findService(client, `https://run.googleapis.com/v2${url}`);
  // A deployment always creates a revision, even if nothing changes.
  const needsDeployment = !existing || !matches(existing, image, wanted);
  if (needsDeployment)
    await cloud.deploy({ ...place, image, env: wanted.env, serviceAccount: wanted.service_account, allowUnauthenticated: false });
  const invokers = [...(wanted.allow_unauthenticated ? ["allUsers"] : []), ...wanted.members.map(readMember)];
  const bindings = [...(invokers.length > 0 ? [{ role: "roles/run.invoker", members: invokers }] : []), ...wanted.bindings];
  const isGranted = await addBindings(client, { url: `https://run.googleapis.com/v1${url}`, method: "GET" }, bindings);
  report("service", `${project}/${region}/${service}`, needsDeployment || isGranted);
}

async function findService(client: ApiClient, url: string): Promise<ServiceMessage | undefined> {
  try {
    return await client.call<ServiceMessage>({ method: "GET", url });
  } catch (error) {
    if (error instanceof CliError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

/** True if a service is ready, and has what the seed file says. */
function matches({ template = {}, terminalCondition }: ServiceMessage, image: string | undefined, wanted: SeedService): boolean {
  const [container] = template.containers ?? [];
  const isSet = ([name, value]: readonly [string, string]) =>
    container?.env?.some((variable) => variable.name === name && variable.value === value);
  return (
    terminalCondition?.state === "CONDITION_SUCCEEDED" &&
    container?.image === image &&
    (wanted.service_account === undefined || template.serviceAccount === wanted.service_account) &&
    Object.entries(wanted.env ?? {}).every(isSet)
  );
}
