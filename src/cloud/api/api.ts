import { createCloud, type Cloud } from "../cloud.ts";
import type { CloudContext } from "../cloud-context.ts";
import { accountVerbs } from "./accounts.ts";
import { artifactRegistryVerbs } from "./artifact-registry.ts";
import { buildVerb } from "./build.ts";
import { openApiClient, type ApiClient } from "./client.ts";
import { deployVerb } from "./deploy.ts";
import { logVerbs } from "./logs.ts";
import { policyVerbs } from "./policy.ts";
import { projectVerbs } from "./project.ts";
import type { ClientFor } from "./request-verb.ts";
import { serviceVerbs } from "./services.ts";
import { setUpVerb } from "./setup.ts";

export function createApiCloud(context: CloudContext): Cloud {
  const clients = new Map<string, ApiClient>();
  const clientFor: ClientFor = ({ project, location = "global", region = location }) => {
    const key = `${project} ${region}`;
    const client = clients.get(key) ?? openApiClient(context, { project, region });
    clients.set(key, client);
    return client;
  };
  const { signal } = context;
  return createCloud("api", {
    ...serviceVerbs(clientFor, context),
    ...policyVerbs(clientFor, signal),
    ...accountVerbs(clientFor),
    ...logVerbs(clientFor),
    ...projectVerbs(clientFor, signal),
    ...artifactRegistryVerbs(clientFor, signal),
    build: buildVerb(clientFor, context),
    deploy: deployVerb(clientFor, context),
    setUp: setUpVerb(clientFor, signal),
  });
}
