import { CliError } from "../errors/cli-error.ts";

/** Something that a pipeline needs in a project. It is created if it is missing, through gcloud and through Google's APIs alike. */
export type SetupStep = { readonly project: string } & (
  | { readonly kind: "apis"; readonly names: readonly string[] }
  | { readonly kind: "repository"; readonly location: string; readonly name: string }
  | { readonly kind: "account"; readonly email: string; readonly displayName: string }
  | { readonly kind: "pool"; readonly pool: string; readonly displayName: string }
  | ProviderStep
  | { readonly kind: "project-role"; readonly member: string; readonly role: string }
  | { readonly kind: "account-role"; readonly account: string; readonly member: string; readonly role: string }
);

export interface ProviderStep {
  readonly kind: "provider";
  readonly project: string;
  readonly pool: string;
  readonly provider: string;
  readonly displayName: string;
  readonly issuer: string;
  /** Google's attributes, each with an expression over the token's claims. */
  readonly mapping: Readonly<Record<string, string>>;
  readonly condition: string;
}

/** What a step has done; APIs and roles don't tell whether they existed before. */
export type SetupOutcome = "made" | "changed" | "there" | "enabled" | "granted";

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers */
export interface RegisteredResource {
  readonly state?: string;
  readonly oidc?: { readonly issuerUri?: string };
  readonly attributeMapping?: Readonly<Record<string, string>>;
  readonly attributeCondition?: string;
}

function isUpToDate(existing: RegisteredResource, { issuer, mapping, condition }: ProviderStep): boolean {
  const sorted = (record: Readonly<Record<string, string>> = {}) => JSON.stringify(Object.entries(record).toSorted());
  return (
    existing.oidc?.issuerUri === issuer &&
    existing.attributeCondition === condition &&
    sorted(existing.attributeMapping) === sorted(mapping)
  );
}

export type WorkloadIdentityStep = Extract<SetupStep, { kind: "pool" | "provider" }>;

interface SetupRequests {
  create(step: SetupStep): Promise<unknown>;
  read(step: WorkloadIdentityStep): Promise<RegisteredResource>;
  undelete(step: WorkloadIdentityStep): Promise<unknown>;
  update(step: ProviderStep): Promise<unknown>;
}

/** Creates what a step wants. What exists already is undeleted if it was deleted, and updated if it differs. */
export async function setUp(step: SetupStep, { create, read, undelete, update }: SetupRequests): Promise<SetupOutcome> {
  const outcome = step.kind === "apis" ? "enabled" : step.kind.endsWith("-role") ? "granted" : undefined;
  try {
    await create(step);
    return outcome ?? "made";
  } catch (error) {
    if (!(error instanceof CliError && error.code === "CONFLICT") || outcome) throw error;
  }
  if (step.kind !== "pool" && step.kind !== "provider") return "there";
  const existing = await read(step);
  const isDeleted = existing.state === "DELETED";
  if (isDeleted) await undelete(step);
  const isCurrent = step.kind === "pool" || isUpToDate(existing, step);
  if (!isCurrent) await update(step);
  return isDeleted || !isCurrent ? "changed" : "there";
}
