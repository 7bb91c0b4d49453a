/** The sender of a control-plane request, as identified by the access token. */
export interface Principal {
  /** As policies name it: `serviceAccount:name@project.iam.gserviceaccount.com`, `user:…` or `principal://…`. */
  readonly member: string;
  /** The `principal://` itself for a federated identity. */
  readonly email: string;
  /** The `principalSet://`s that contain a federated identity. */
  readonly principalSets?: readonly string[];
  readonly scopes: readonly string[];
}

export type Identity = Pick<Principal, "member" | "email" | "principalSets">;
