/** What a pipeline needs of a project. Each is made where it is missing, by gcloud and by Google's APIs alike. */
export type SetupStep = { readonly project: string } & (
  | { readonly kind: "apis"; readonly names: readonly string[] }
  | { readonly kind: "repository"; readonly location: string; readonly name: string }
  | { readonly kind: "account"; readonly email: string; readonly displayName: string }
  | { readonly kind: "pool"; readonly pool: string; readonly displayName: string }
  | ProviderStep
  | { readonly kind: "project-role"; readonly member: string; readonly role: string }
  | { readonly kind: "account-role"; readonly account: string; readonly member: string; readonly role: string }
);

/** A provider of OpenID Connect tokens, and whom of its workloads it lets in. */
export interface ProviderStep {
  readonly kind: "provider";
  readonly project: string;
  readonly pool: string;
  readonly provider: string;
  readonly displayName: string;
  readonly issuer: string;
  /** Google's attributes by their names, each an expression over the token's claims. */
  readonly mapping: Readonly<Record<string, string>>;
  readonly condition: string;
}

/** What became of a step; of APIs and roles nobody asks whether they were there before. */
export type SetupOutcome = "made" | "changed" | "there" | "enabled" | "granted";

/** Google's WorkloadIdentityPool and WorkloadIdentityPoolProvider messages, as far as they are read here. */
export interface RegisteredResource {
  readonly state?: string;
  readonly oidc?: { readonly issuerUri?: string };
  readonly attributeMapping?: Readonly<Record<string, string>>;
  readonly attributeCondition?: string;
}

/** Whether a provider lets in whom it is to let in. */
export function isUpToDate(found: RegisteredResource, { issuer, mapping, condition }: ProviderStep): boolean {
  const sorted = (record: Readonly<Record<string, string>> = {}) => JSON.stringify(Object.entries(record).toSorted());
  return found.oidc?.issuerUri === issuer && found.attributeCondition === condition && sorted(found.attributeMapping) === sorted(mapping);
}
