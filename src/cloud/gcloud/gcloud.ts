import { createCloud, type Cloud } from "../cloud.ts";
import type { CloudContext } from "../cloud-context.ts";
import { accountVerbs } from "./accounts.ts";
import { artifactRegistryVerbs } from "./artifact-registry.ts";
import { buildVerb } from "./build.ts";
import { logVerbs } from "./logs.ts";
import { policyVerbs } from "./policies.ts";
import { openGcloud } from "./process.ts";
import { projectVerbs } from "./project.ts";
import { serviceVerbs } from "./services.ts";
import { setUpVerb } from "./setup.ts";

export function createGcloudCloud(context: CloudContext): Cloud {
  const gcloud = openGcloud(context);
  return createCloud("gcloud", {
    ...serviceVerbs(gcloud),
    ...policyVerbs(gcloud, context.signal),
    ...accountVerbs(gcloud),
    ...logVerbs(gcloud),
    ...projectVerbs(gcloud),
    ...artifactRegistryVerbs(gcloud),
    build: buildVerb(gcloud, context),
    setUp: setUpVerb(gcloud),
  });
}
