import { isGcloudClientId } from "../../auth/audience.ts";
import { principalOfToken } from "../../auth/principal.ts";
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
      const whose = member ?? "an account without an e-mail address in it";
      const what = isGcloudClientId(aud ?? "") ? "It is for gcloud's client" : `It is for ${aud ?? "nobody"}`;
      return ok(`An ID token was given for ${whose}. ${what}.`, { details: { principal: member ?? null, audience: aud ?? null } });
    },
  },
  {
    name: "deploy-credentials",
    async run({ deployer, googleProbe, via }) {
      const { description, principal, file, fetchAccessToken } = await deployer();
      const details = { via, principal: principal ?? null, file: file ?? null, found: description };
      await requireFact("network", googleProbe());
      await fetchAccessToken();
      return ok(`The control plane is used, by ${via === "gcloud" ? "gcloud" : "Google's APIs"}, as ${description}.`, { details });
    },
  },
];
