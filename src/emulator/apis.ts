import { createAccountsApi } from "./apis/accounts.ts";
import { artifactregistryApi } from "./apis/artifactregistry.ts";
import { cloudbillingApi } from "./apis/cloudbilling.ts";
import { cloudbuildApi } from "./apis/cloudbuild.ts";
import { cloudresourcemanagerApi } from "./apis/cloudresourcemanager.ts";
import { createIamApi } from "./apis/iam.ts";
import { createIamCredentialsApi } from "./apis/iamcredentials.ts";
import { createLoggingApi } from "./apis/logging.ts";
import { createOAuth2Api } from "./apis/oauth2.ts";
import { orgpolicyApi } from "./apis/orgpolicy.ts";
import { createPolicyTroubleshooterApi } from "./apis/policytroubleshooter.ts";
import { createRunApi } from "./apis/run.ts";
import { runBuildsApi } from "./apis/run-builds.ts";
import { createRunV2Api } from "./apis/run-v2.ts";
import { createSecretManagerApi } from "./apis/secretmanager.ts";
import { serviceusageApi } from "./apis/serviceusage.ts";
import { storageApi, storageXmlApi } from "./apis/storage.ts";
import { createStsApi } from "./apis/sts.ts";
import { createWwwApi } from "./apis/www.ts";
import type { Builds } from "./builds/builds.ts";
import type { LogStore } from "./logging/log-store.ts";
import type { Api } from "./router.ts";
import type { Deployments } from "./run/deployments.ts";
import type { Runtime } from "./runtime.ts";

/** All of Google's APIs that the emulator has. */
export function openApis({
  deployments,
  builds,
  logs,
  ...runtime
}: Runtime & { deployments: Deployments; builds: Builds; logs: LogStore }): readonly Api[] {
  const { state } = runtime;
  return [
    createAccountsApi(runtime),
    artifactregistryApi(runtime),
    cloudbillingApi(runtime),
    cloudbuildApi({ ...runtime, builds }),
    cloudresourcemanagerApi(runtime),
    createIamApi(runtime),
    createIamCredentialsApi(runtime),
    createLoggingApi({ state, logs }),
    createOAuth2Api(runtime),
    orgpolicyApi(runtime),
    createPolicyTroubleshooterApi(runtime),
    createRunApi({ ...runtime, deployments }),
    runBuildsApi({ builds }),
    createRunV2Api({ ...runtime, deployments }),
    createSecretManagerApi(runtime),
    serviceusageApi(runtime),
    storageApi(runtime),
    storageXmlApi(runtime),
    createStsApi(runtime),
    createWwwApi(runtime),
  ];
}
