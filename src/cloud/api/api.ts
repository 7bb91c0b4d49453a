import type { CloudContext } from "../cloud-context.ts";
import { INVOKER_ROLE } from "../permissions.ts";
import { accountRequests, createAccounts } from "./accounts.ts";
import { buildByApi, planApiBuild } from "./build.ts";
import { openApiClient, requestLine, type ApiClient, type ApiRequest } from "./client.ts";
import { deployByApi, planApiDeploy } from "./deploy.ts";
import { serviceUrl } from "../messages/knative-url.ts";
import { createImages, imageRequests } from "./images.ts";
import { setUpByApi, setupRequests } from "./setup.ts";
import { createLogs, logRequests } from "./logs.ts";
import { changeMembers, getPolicy, leaving, policyRead, policyWrite, withMember, withoutMember } from "./policy.ts";
import { createProject, projectRequests } from "./project.ts";
import { createOperate, operateRequests } from "./operate.ts";
import type { Cloud, DeployOptions, GrantOptions, Policy, Service, Step } from "../cloud.ts";
import type { Place, ServiceName } from "../names.ts";
import { readService, type KnativeService } from "../messages/knative-service.ts";

/** The control plane by Google's REST APIs, with a service account's key and no gcloud. */
export function createApiCloud(context: CloudContext): Cloud {
  const clients = new Map<string, ApiClient>();
  const client = ({ project, region }: Place) => {
    const key = `${project} ${region}`;
    const known = clients.get(key) ?? openApiClient(context, { project, region });
    clients.set(key, known);
    return known;
  };
  const change = (options: GrantOptions, how: ReturnType<typeof withMember>): Promise<Policy> =>
    changeMembers(client(options), options, how, context.signal);
  return {
    via: "api",
    build: (options) => buildByApi(client(options), options, context),
    deploy: (options) => deploy(client(options), options, context),
    describe: async (options) =>
      readService((await client(options).call({ method: "GET", url: serviceUrl(options) })) as KnativeService, options),
    policy: (options) => getPolicy(client(options), options),
    grant: (options) => change(options, withMember(options.member)),
    revoke: (options) => change(options, leaving(options)),
    projectNumber: async (project) => {
      const url = `https://cloudresourcemanager.googleapis.com/v1/projects/${project}`;
      return ((await client({ project, region: "global" }).call({ method: "GET", url })) as { projectNumber: string }).projectNumber;
    },
    setUp: (step) => setUpByApi(client({ project: step.project, region: "global" }), step, context.signal),
    ...createAccounts(client),
    ...createLogs(client),
    ...createProject(client, context),
    ...createOperate(client, context),
    ...createImages(client, context),
    plan: (step, options) => plans[step](options as never).map(requestLine),
  };
}

async function deploy(client: ApiClient, options: DeployOptions, context: CloudContext): Promise<Service> {
  const { service, isNew } = await deployByApi(client, options, context);
  // A service that has just been made is private.
  if (isNew && !options.allowUnauthenticated) return service;
  const change = options.allowUnauthenticated ? withMember("allUsers") : withoutMember("allUsers");
  await changeMembers(client, { ...options, role: INVOKER_ROLE }, change, context.signal);
  return service;
}

const plans: { readonly [Name in Step]: (options: Parameters<Cloud[Name]>[0]) => readonly ApiRequest[] } = {
  build: planApiBuild,
  deploy: (options) => [...planApiDeploy(options), ...(options.allowUnauthenticated ? planBinding(options, "allUsers") : [])],
  describe: (options) => [{ method: "GET", url: serviceUrl(options) }],
  policy: (options) => [policyRead(options)],
  grant: (options) => planBinding(options, options.member, options.role),
  setUp: setupRequests,
  revoke: (options) => [policyRead(options), policyWrite(options, { bindings: [], etag: "ETAG" })],
  ...accountRequests,
  ...logRequests,
  ...projectRequests,
  ...operateRequests,
  ...imageRequests,
};

function planBinding(options: ServiceName, member: string, role = INVOKER_ROLE): ApiRequest[] {
  return [policyRead(options), policyWrite(options, { bindings: [{ role, members: [member] }], etag: "ETAG" })];
}
