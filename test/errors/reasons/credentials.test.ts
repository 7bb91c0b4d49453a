import { forge } from "../../helpers/identity.ts";
import { bearer, holdRefusals, openRefusals, type Case } from "../../helpers/refusals.ts";

const world = await openRefusals();
const { url, member, caller } = world;
const RUN_APP = new URL(url).host;
const HOUR = 3_600_000;
const GRANTED = { role: "roles/run.invoker", members: [member] };

const CREDENTIALS: readonly Case[] = [
  ["no credential", "NO_CREDENTIAL", () => world.ask()],
  [
    "two Authorization headers",
    "SEVERAL_CREDENTIALS",
    async () => world.ask({ authorization: [bearer(await world.token()), bearer("b")] }),
  ],
  ["two tokens in one header", "SEVERAL_CREDENTIALS", async () => world.ask({ authorization: `${bearer(await world.token())}, Bearer b` })],
  ["a password", "NOT_BEARER", () => world.ask({ authorization: "Basic bWU6c2VjcmV0" })],
  ["an access token", "ACCESS_TOKEN", () => world.ask({ authorization: bearer(world.operatorToken) })],
  ["a truncated token", "NOT_A_JWT", async () => world.ask({ authorization: bearer((await world.token()).slice(0, 40)) })],
  [
    "a token that Cloud Run forwarded",
    "SIGNATURE_REMOVED",
    async () => world.ask({ authorization: bearer((await world.token()).replace(/[^.]+$/, "SIGNATURE_REMOVED_BY_GOOGLE")) }),
  ],
  [
    "a self-signed JWT",
    "ISSUER_NOT_GOOGLE",
    () => world.ask({ authorization: bearer(forge({ alg: "RS256" }, { iss: caller, aud: url })) }),
  ],
  [
    "a two-hour-old token",
    "TOKEN_EXPIRED",
    async () => {
      const token = await world.token();
      await world.clock(2 * HOUR);
      return world.ask({ authorization: bearer(token), ahead: 2 * HOUR });
    },
  ],
  [
    "a two-hour-old token with a clock that is two hours behind",
    "CLOCK_OFF",
    async () => {
      const token = await world.token();
      await world.clock(2 * HOUR);
      return world.ask({ authorization: bearer(token) });
    },
    "NOT_AUTHENTICATED",
  ],
  ["another service's token", "AUDIENCE_MISMATCH", () => world.run(["invoke", "--audience", "https://other-abc-uc.a.run.app"])],
  ["the URL with a path as audience", "AUDIENCE_MISMATCH", () => world.run(["invoke", "--audience", `${url}/orders`])],
  ["a tag's URL as audience", "AUDIENCE_MISMATCH", () => world.run(["invoke", "--audience", url.replace("//", "//next---")])],
  [
    "a token for a load balancer's domain",
    "AUDIENCE_IS_DOMAIN",
    async () => world.ask({ url: "https://api.example.com", authorization: bearer(await world.token("https://api.example.com")) }),
  ],
  [
    "a changed token",
    "SIGNATURE_WRONG",
    async () => {
      const [header, , signature] = (await world.token()).split(".");
      const claims = { iss: "https://accounts.google.com", aud: url, email: caller, email_verified: true, exp: Date.now() / 1000 + 600 };
      return world.ask({ authorization: bearer(`${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`) });
    },
  ],
  [
    "a token of a deleted account",
    "ACCOUNT_DELETED",
    async () => {
      const { keyFile, resource } = await world.account();
      const token = await world.tokenOf(keyFile);
      await world.api("iam.googleapis.com", resource, {}, "DELETE");
      return world.ask({ authorization: bearer(token) });
    },
    "NOT_AUTHENTICATED",
  ],
  [
    "a token of a disabled account",
    "ACCOUNT_DISABLED",
    async () => {
      const { keyFile, resource } = await world.account();
      const token = await world.tokenOf(keyFile);
      await world.api("iam.googleapis.com", `${resource}:disable`);
      return world.ask({ authorization: bearer(token) });
    },
    "NOT_AUTHENTICATED",
  ],
  [
    "401 for a valid token without permission to look anything up",
    "NOT_VERIFIED",
    async () => {
      await world.fault({ match: RUN_APP, status: 401 });
      return world.ask({ authorization: bearer(await world.token()), operator: null });
    },
  ],
];

const POLICIES: readonly Case[] = [
  ["a caller without a binding", "PRINCIPAL_NOT_IN_POLICY", () => world.run(["invoke"])],
  [
    "a caller without a binding, with status 401",
    "PRINCIPAL_NOT_IN_POLICY",
    async () => {
      await world.fault({ match: RUN_APP, status: 401 });
      return world.run(["invoke"]);
    },
  ],
  [
    "a caller without a binding who can't read the policy",
    "PRINCIPAL_NOT_IN_POLICY",
    () => world.run(["invoke", "--url", url], { GOOGLE_APPLICATION_CREDENTIALS: world.environment["CREDS"] ?? "" }),
  ],
  [
    "a caller without a binding while the control plane hangs",
    "PRINCIPAL_NOT_IN_POLICY",
    async () => {
      await world.fault({ match: "*run.googleapis.com", latency_ms: 600_000 });
      return world.run(["invoke", "--url", url]);
    },
  ],
  [
    "a caller without a binding while the control plane closes connections",
    "PRINCIPAL_NOT_IN_POLICY",
    async () => {
      await world.fault({ match: "*run.googleapis.com", truncate: 20 });
      return world.run(["invoke", "--url", url]);
    },
  ],
  [
    "a caller with another role",
    "PRINCIPAL_NOT_IN_POLICY",
    async () => {
      await world.setPolicy({ role: "roles/run.viewer", members: [member] });
      return world.run(["invoke"]);
    },
  ],
  [
    "an expired grant",
    "CONDITION_NOT_MET",
    async () => {
      const condition = { title: "till 2020", expression: 'request.time < timestamp("2020-01-01T00:00:00Z")' };
      await world.setPolicy({ ...GRANTED, condition });
      return world.run(["invoke"]);
    },
  ],
  [
    "a grant that hasn't taken effect, with status 401",
    "GRANT_TOO_YOUNG",
    async () => {
      await world.setPolicy(GRANTED);
      await world.fault({ match: RUN_APP, status: 401 });
      return world.run(["invoke"]);
    },
  ],
  [
    "a project in a VPC Service Controls perimeter",
    "VPC_SERVICE_CONTROLS",
    async () => {
      await world.fault({ match: RUN_APP, status: 403, reason: "VPC_SERVICE_CONTROLS" });
      await world.fault({ match: "*run.googleapis.com", status: 403, reason: "VPC_SERVICE_CONTROLS" });
      return world.run(["invoke", "--url", url]);
    },
    "NOT_AUTHORIZED",
  ],
];

holdRefusals(world, [...CREDENTIALS, ...POLICIES]);
