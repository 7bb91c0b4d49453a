import type { SetupStep } from "../../cloud/pipeline-setup.ts";
import { DEFAULT_REPOSITORY } from "../../cloud/repository.ts";
import { poolName, type Pipeline, type Provider, type System } from "./pipeline.ts";

/** The claims of each system's tokens that name the repository and the branch, and the attribute that joins them. */
const CLAIMS = {
  // https://docs.github.com/actions/reference/security/oidc
  github: {
    branch: "assertion.repository + '@' + assertion.ref",
    value: (repository: string, branch: string) => `${repository}@refs/heads/${branch}`,
    condition: (repository: string, branch: string) => `assertion.repository == '${repository}' && assertion.ref == 'refs/heads/${branch}'`,
  },
  // https://docs.gitlab.com/ci/secrets/id_token_authentication/#token-payload
  gitlab: {
    branch: "assertion.project_path + '@' + assertion.ref",
    value: (repository: string, branch: string) => `${repository}@${branch}`,
    condition: (repository: string, branch: string) =>
      `assertion.project_path == '${repository}' && assertion.ref_type == 'branch' && assertion.ref == '${branch}'`,
  },
} as const;

/** What a pipeline needs of the project, in the order of creation; `runsAs` is the account that the service runs as. */
export function planSetup(system: System, pipeline: Pipeline, runsAs: string): SetupStep[] {
  const { project, number, region, service, deployer, caller, provider, repository, branch } = pipeline;
  const deploys = `serviceAccount:${deployer}`;
  const forge = system === "cloudbuild" ? undefined : CLAIMS[system];
  const workload =
    provider &&
    forge &&
    `principalSet://iam.googleapis.com/${poolName(number, provider.pool)}/attribute.branch/${forge.value(repository ?? "", branch)}`;
  // Cloud Build uses the compute account by default, and starting a build requires permission to act as it.
  const actsAs = new Set([runsAs, ...(provider ? [computeAccount(number)] : [])]);
  const apis = ["run", "cloudbuild", "artifactregistry", "iam", "iamcredentials", ...(provider ? ["sts"] : ["logging"])];
  const roleOn = (account: string, member: string, role: string): SetupStep => ({ kind: "account-role", project, account, member, role });
  return [
    { kind: "apis", project, names: apis.map((name) => `${name}.googleapis.com`) },
    { kind: "repository", project, location: region, name: DEFAULT_REPOSITORY },
    { kind: "account", project, email: deployer, displayName: `Deploys ${service}` },
    { kind: "account", project, email: caller, displayName: `Calls ${service}` },
    ...(provider && system !== "cloudbuild" ? federation(system, pipeline, provider) : []),
    ...(provider ? FEDERATED_ROLES : CLOUD_BUILD_ROLES).map((role): SetupStep => ({
      kind: "project-role",
      project,
      member: deploys,
      role,
    })),
    ...[...actsAs].map((account) => roleOn(account, deploys, "roles/iam.serviceAccountUser")),
    ...(workload ? [roleOn(deployer, workload, "roles/iam.workloadIdentityUser")] : []),
    // The pipeline only needs ID tokens of the caller.
    roleOn(caller, workload ?? deploys, "roles/iam.serviceAccountOpenIdTokenCreator"),
  ];
}

/** The deployer can upload and build a folder, read images and change services, but not their policies. */
const FEDERATED_ROLES = ["roles/run.sourceDeveloper"];
/** A build has its source already, and writes the image and the log itself. */
const CLOUD_BUILD_ROLES = ["roles/run.developer", "roles/artifactregistry.writer", "roles/logging.logWriter", "roles/storage.objectViewer"];

/** The account that services run as by default. */
export function computeAccount(number: string): string {
  return `${number}-compute@developer.gserviceaccount.com`;
}

function federation(
  system: "github" | "gitlab",
  { project, repository = "", branch }: Pipeline,
  { pool, id, issuer }: Provider,
): SetupStep[] {
  const claims = CLAIMS[system];
  return [
    { kind: "pool", project, pool, displayName: `${system === "github" ? "GitHub" : "GitLab"} pipelines` },
    {
      kind: "provider",
      project,
      pool,
      provider: id,
      // Google allows 32 characters.
      displayName: repository.slice(-32),
      issuer,
      mapping: { "google.subject": "assertion.sub", "attribute.branch": claims.branch },
      condition: claims.condition(repository, branch),
    },
  ];
}

export function describeStep(step: SetupStep): string {
  switch (step.kind) {
    case "apis":
      return `APIs ${step.names.map((name) => name.replace(".googleapis.com", "")).join(", ")}`;
    case "repository":
      return `repository ${step.name} in ${step.location}`;
    case "account":
      return `service account ${step.email}`;
    case "pool":
      return `workload identity pool ${step.pool}`;
    case "provider":
      return `provider ${step.provider} (${step.condition})`;
    case "project-role":
      return `${step.role} on the project for ${step.member}`;
    case "account-role":
      return `${step.role} on ${step.account} for ${step.member}`;
  }
}
