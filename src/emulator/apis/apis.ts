import { createAccountsApi } from "./accounts.ts";
import { artifactregistryApi } from "./artifactregistry.ts";
import { cloudbillingApi } from "./cloudbilling.ts";
import { cloudbuildApi } from "./cloudbuild.ts";
import { cloudresourcemanagerApi } from "./cloudresourcemanager.ts";
import { createIamApi } from "./iam.ts";
import { createIamCredentialsApi } from "./iamcredentials.ts";
import { createLoggingApi } from "./logging.ts";
import { createOAuth2Api } from "./oauth2.ts";
import { orgpolicyApi } from "./orgpolicy.ts";
import { createPolicyTroubleshooterApi } from "./policytroubleshooter.ts";
import { createRunApi } from "./run.ts";
import { runBuildsApi } from "./run-builds.ts";
import { createRunV2Api } from "./run-v2.ts";
import { createSecretManagerApi } from "./secretmanager.ts";
import { serviceusageApi } from "./serviceusage.ts";
import { storageApi, storageXmlApi } from "./storage.ts";
import { createStsApi } from "./sts.ts";
import { createWwwApi } from "./www.ts";
import type { Builds } from "../builds/builds.ts";
import type { LogStore } from "../logging/log-store.ts";
import type { Api } from "../server/router.ts";
import type { Deployments } from "../run/deployments.ts";
import type { Runtime } from "../runtime.ts";

/** All Google APIs that the emulator has. */
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
