import { checkAccess } from "../../src/emulator/front-door/check-access.ts";
import { createServiceAccount } from "../../src/emulator/iam/service-accounts.ts";
import type { ServiceAccount } from "../../src/emulator/state/resources.ts";
import type { KnativeService } from "../../src/emulator/run/knative.ts";
import { hashUrl, urlsOf, type Place } from "../../src/emulator/run/names.ts";
import { createService } from "../../src/emulator/run/services.ts";
import { signJwt } from "../../src/emulator/oauth2/jwt.ts";
import { OWNER, PROJECT, testPlace } from "./api-server.ts";
import { ISSUER_PAIR, NOW, openIdentity, type Identity } from "./identity.ts";
import { service } from "./run-server.ts";

export const SERVICE = `projects/${PROJECT}/locations/us-central1/services/hello`;

interface CallOptions {
  readonly url?: string;
  /** The Authorization header's token; none is sent where it is not said. */
  readonly token?: string;
  readonly rawHeaders?: string[];
  readonly isInternal?: boolean;
}

/** A private service `hello` in front of which the front end decides, with the revisions `hello-1` and, by the tag `next`, `hello-2`. */
export interface CalledService extends Identity {
  readonly place: Place;
  readonly url: string;
  readonly urls: readonly string[];
  readonly tagUrl: string;
  /** "admitted", or the status of the page that the call is refused with. */
  call(options?: CallOptions): Promise<"admitted" | number>;
  annotate(annotations: Readonly<Record<string, string>>): void;
  account(id: string): ServiceAccount;
}

export async function openService(annotations: Readonly<Record<string, string>> = {}): Promise<CalledService> {
  const identity = await openIdentity();
  const { state } = identity;
  const place = testPlace(state);
  const principal = { member: `serviceAccount:${OWNER}`, email: OWNER, scopes: [] };
  const made = createService(identity, { place, principal, dryRun: false, body: service({ annotations }) });
  const traffic = [
    { revisionName: "hello-1", percent: 100 },
    { revisionName: "hello-2", tag: "next" },
  ];
  const key = `${PROJECT}/us-central1/hello`;
  state.services.set(key, { ...made, status: { ...made.status, traffic } });
  const url = hashUrl(place, "hello");
  return {
    ...identity,
    place,
    url,
    urls: urlsOf(place, "hello"),
    tagUrl: hashUrl(place, "hello", "next"),
    async call({
      url: called = url,
      token,
      rawHeaders = token === undefined ? [] : ["Authorization", `Bearer ${token}`],
      isInternal = false,
    } = {}) {
      const access = await checkAccess(identity, { host: new URL(called).host, path: "/", rawHeaders, isInternal });
      return access.refusal?.status ?? "admitted";
    },
    annotate(more) {
      const current = state.services.get(key) as KnativeService;
      state.services.set(key, { ...current, metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, ...more } } });
    },
    account: (accountId) => createServiceAccount(state, { projectId: PROJECT, accountId }),
  };
}

/** An ID token of the emulator's issuer for an account. */
export function idTokenOf({ email, uniqueId }: Pick<ServiceAccount, "email" | "uniqueId">, audience: string, changes: object = {}): string {
  const times = { iat: NOW, exp: NOW + 3600 };
  const claims = { aud: audience, azp: email, email, email_verified: true, ...times, iss: "https://accounts.google.com", sub: uniqueId };
  return signJwt(JSON.stringify({ ...claims, ...changes }), ISSUER_PAIR);
}
