import { isGcloudClientId } from "../../auth/audience.ts";
import { principalOfToken } from "../../auth/member.ts";
import { readClaims } from "../../auth/jwt.ts";
import { ok, type Check } from "./check.ts";
import { requireFact } from "./require-fact.ts";

export const credentialChecks: readonly Check[] = [
  {
    name: "credentials",
    async run({ caller }) {
      const { description, principal, file } = await caller();
      return ok(`Services are called as ${description}.`, {
        details: { principal: principal ?? null, file: file ?? null, found: description },
      });
    },
  },
  {
    name: "token",
    async run({ caller, idToken, googleProbe }) {
      await requireFact("network", googleProbe());
      await requireFact("credentials", caller());
      const token = await idToken();
      const { aud } = readClaims(token) ?? {};
      const member = principalOfToken(token);
      const audience = isGcloudClientId(aud ?? "") ? "gcloud's client ID" : (aud ?? "none");
      return ok(`Got an ID token for ${member ?? "an account without an email address"} (audience: ${audience}).`, {
        details: { principal: member ?? null, audience: aud ?? null },
      });
    },
  },
  {
    name: "deploy-credentials",
    async run({ deployer, googleProbe, via }) {
      const { description, principal, file, fetchAccessToken } = await deployer();
      const details = { via, principal: principal ?? null, file: file ?? null, found: description };
      await requireFact("network", googleProbe());
      await fetchAccessToken();
      return ok(`Using ${via === "gcloud" ? "gcloud" : "the Google Cloud APIs"} as ${description}.`, { details });
    },
  },
];
