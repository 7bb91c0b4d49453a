import { createAccountsApi } from "./accounts.ts";
import { createArtifactRegistryApi } from "./artifactregistry.ts";
import { createCloudBillingApi } from "./cloudbilling.ts";
import { createCloudBuildApi } from "./cloudbuild.ts";
import { createResourceManagerApi } from "./cloudresourcemanager.ts";
import { createIamApi } from "./iam.ts";
import { createIamCredentialsApi } from "./iamcredentials.ts";
import { createLoggingApi } from "./logging.ts";
import { createOAuth2Api } from "./oauth2.ts";
import { createOrgPolicyApi } from "./orgpolicy.ts";
import { createPolicyTroubleshooterApi } from "./policytroubleshooter.ts";
import { createRunApi } from "./run.ts";
import { createRunBuildsApi } from "./run-builds.ts";
import { createRunV2Api } from "./run-v2.ts";
import { createSecretManagerApi } from "./secretmanager.ts";
import { createServiceUsageApi } from "./serviceusage.ts";
import { createStorageApi, createStorageXmlApi } from "./storage.ts";
import { createStsApi } from "./sts.ts";
import { createWwwApi } from "./www.ts";
import type { Builds } from "../builds/builds.ts";
import type { LogStore } from "../logging/log-store.ts";
import type { Api } from "../server/router.ts";
import type { Deployments } from "../run/deployments.ts";
import type { Runtime } from "../runtime.ts";

export function openApis({
  deployments,
  builds,
  logs,
  ...runtime
}: Runtime & { deployments: Deployments; builds: Builds; logs: LogStore }): readonly Api[] {
  const { state } = runtime;
  return [
    createAccountsApi(runtime),
    createArtifactRegistryApi(runtime),
    createCloudBillingApi(runtime),
    createCloudBuildApi({ ...runtime, builds }),
    createResourceManagerApi(runtime),
    createIamApi(runtime),
    createIamCredentialsApi(runtime),
    createLoggingApi({ state, logs }),
    createOAuth2Api(runtime),
    createOrgPolicyApi(runtime),
    createPolicyTroubleshooterApi(runtime),
    createRunApi({ ...runtime, deployments }),
    createRunBuildsApi({ builds }),
    createRunV2Api({ ...runtime, deployments }),
    createSecretManagerApi(runtime),
    createServiceUsageApi(runtime),
    createStorageApi(runtime),
    createStorageXmlApi(runtime),
    createStsApi(runtime),
    createWwwApi(runtime),
  ];
}
