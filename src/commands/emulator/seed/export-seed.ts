import { openApiClient, type ApiClient } from "../../../cloud/api/client.ts";
import type { Context } from "../../../context/context.ts";
import type { EmulatorStatus } from "../../../emulator/index.ts";
import { createOperatorContext } from "../../../context/operator-context.ts";
import { listUsers } from "./logins.ts";
import { readPolicy } from "./policies.ts";
import type { SeedBinding, SeedInput } from "./seed-file.ts";

type ProjectInput = SeedInput["projects"][number];
type AccountInput = NonNullable<ProjectInput["accounts"]>[number];
type ServiceInput = NonNullable<ProjectInput["services"]>[number];

/** The parts of Cloud Run's message that a seed file has. */
interface KnativeService {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly serviceAccountName?: string;
        readonly containers: readonly {
          readonly image: string;
          readonly env?: readonly { readonly name: string; readonly value?: string }[];
        }[];
      };
    };
  };
}

/** Returns a service's source folder, relative to the seed file, or undefined if its source can't be found. */
export type FindSource = (
  client: ApiClient,
  service: Required<Pick<ServiceInput, "name" | "region">> & { project: string; image: string },
) => Promise<string | undefined>;

/** Reads the resources of a running emulator as a seed file, without those that every project has from the start. */
export async function exportSeed(context: Context, running: EmulatorStatus, findSource: FindSource): Promise<SeedInput> {
  const own = openApiClient(createOperatorContext(context, running), running);
  const url = "https://cloudresourcemanager.googleapis.com/v1/projects";
  const projects = await listAll<{ readonly projectId: string; readonly projectNumber: string }>(own, url, "projects");
  const exported: ProjectInput[] = [];
  for (const { projectId: project, projectNumber: number } of projects) {
    const client = openApiClient(createOperatorContext(context, running, { project }), { project, region: running.region });
    const compute = `${number}-compute@developer.gserviceaccount.com`;
    const predefined = new Set([
      compute,
      `${number}@cloudbuild.gserviceaccount.com`,
      ...["operator", "caller"].map((name) => `${name}@${project}.iam.gserviceaccount.com`),
    ]);
    const owners = [project, running.project].map((id) => `serviceAccount:operator@${id}.iam.gserviceaccount.com`);
    const bindings = withoutMembers(await bindingsOf(client, { url: `${url}/${project}`, method: "POST" }), {
      "roles/cloudbuild.builds.builder": [`serviceAccount:${number}@cloudbuild.gserviceaccount.com`],
      "roles/editor": [`serviceAccount:${compute}`],
      "roles/owner": owners,
    });
    const accounts = await exportAccounts(client, project, predefined);
    const buckets = await exportBuckets(client, project, number);
    const services = await exportServices(client, project, compute, findSource);
    exported.push({ project, ...withoutEmptyLists({ accounts, bindings, buckets, services }) });
  }
  const users = await listUsers(context, running);
  return { ...withoutEmptyLists({ users: users.map((email) => ({ email })) }), projects: exported };
}

async function exportAccounts(client: ApiClient, project: string, predefined: ReadonlySet<string>) {
  interface Account {
    readonly email: string;
    readonly displayName?: string;
    readonly description?: string;
    readonly disabled?: boolean;
  }
  const url = `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts`;
  const accounts = await listAll<Account>(client, url, "accounts");
  const exported: AccountInput[] = [];
  for (const { email, displayName: display_name, description, disabled } of accounts) {
    const bindings = await bindingsOf(client, { url: `${url}/${email}`, method: "POST" });
    if (predefined.has(email) && bindings.length === 0 && !disabled) continue;
    exported.push({ email, display_name, description, ...(disabled && { disabled }), ...withoutEmptyLists({ bindings }) });
  }
  return exported;
}

async function exportBuckets(client: ApiClient, project: string, number: string) {
  const buckets = await listAll<{ readonly name: string; readonly location: string }>(
    client,
    `https://storage.googleapis.com/storage/v1/b?project=${project}`,
    "items",
  );
  const predefined = new Set([`${project}_cloudbuild`, `${number}.cloudbuild-logs.googleusercontent.com`]);
  return buckets
    .filter(({ name }) => !predefined.has(name) && !name.startsWith("run-sources-"))
    .map(({ name, location }) => ({ name, location }));
}

async function exportServices(client: ApiClient, project: string, compute: string, findSource: FindSource): Promise<ServiceInput[]> {
  const url = `https://run.googleapis.com/v1/projects/${project}/locations`;
  const { items = [] } = await client.call<{ readonly items?: readonly KnativeService[] }>({ method: "GET", url: `${url}/-/services` });
  const exported: ServiceInput[] = [];
  for (const { metadata, spec } of items) {
    const { name } = metadata;
    const region = metadata.labels["cloud.googleapis.com/location"] ?? "";
    const { containers, serviceAccountName } = spec.template.spec;
    const [{ image, env = [] } = { image: "" }] = containers;
    const bindings = await bindingsOf(client, { url: `${url}/${region}/services/${name}`, method: "GET" });
    const invokers = bindings.filter(({ role, condition }) => role === "roles/run.invoker" && !condition).flatMap(({ members }) => members);
    const source = await findSource(client, { name, region, project, image });
    const variables = env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]));
    const service: ServiceInput = {
      name,
      region,
      ...(source === undefined ? { image } : { source }),
      ...(serviceAccountName !== compute && { service_account: serviceAccountName }),
      ...(variables.length > 0 && { env: Object.fromEntries(variables) }),
      ...(invokers.includes("allUsers") && { allow_unauthenticated: true }),
      ...withoutEmptyLists({
        members: invokers.filter((member) => member !== "allUsers"),
        bindings: bindings.filter(({ role, condition }) => role !== "roles/run.invoker" || condition),
      }),
    };
    exported.push(service);
  }
  return exported;
}

async function bindingsOf(client: ApiClient, owner: Parameters<typeof readPolicy>[1]): Promise<SeedBinding[]> {
  return [...((await readPolicy(client, owner)).bindings ?? [])];
}

/** Removes members from the bindings of their roles. */
function withoutMembers(bindings: readonly SeedBinding[], predefined: Readonly<Record<string, readonly string[]>>): SeedBinding[] {
  return bindings
    .map((binding) => ({ ...binding, members: binding.members.filter((member) => !predefined[binding.role]?.includes(member)) }))
    .filter(({ members }) => members.length > 0);
}

function withoutEmptyLists<T extends Readonly<Record<string, unknown[]>>>(lists: T): Partial<T> {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)) as Partial<T>;
}

/** Reads all pages of a list. */
async function listAll<T>(client: ApiClient, url: string, name: string): Promise<T[]> {
  const items: T[] = [];
  for (let token: unknown = ""; typeof token === "string";) {
    const page = new URL(url);
    if (token) page.searchParams.set("pageToken", token);
    const response = await client.call<Readonly<Record<string, unknown>>>({ method: "GET", url: page.href });
    items.push(...((response[name] as T[] | undefined) ?? []));
    token = response["nextPageToken"];
  }
  return items;
}
