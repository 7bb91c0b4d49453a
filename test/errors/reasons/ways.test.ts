import { bearer, holdRefusals, openRefusals, type Case, type Named } from "../../helpers/refusals.ts";

const world = await openRefusals();
const { url, project, member, caller } = world;
const RUN_APP = new URL(url).host;
const INVOKER = "roles/run.invoker";
const ANNOTATION = "run.googleapis.com";

/** Changes the service's annotations during one request. */
async function under(annotations: Readonly<Record<string, string>>, ask: () => Promise<Named>): Promise<Named> {
  await world.annotate(annotations);
  try {
    return await ask();
  } finally {
    await world.annotate(Object.fromEntries(Object.keys(annotations).map((name) => [name, undefined])));
  }
}

const guarded = (ask: () => Promise<Named>) => under({ [`${ANNOTATION}/iap-enabled`]: "true" }, ask);
const iapClient = async () => (await guarded(() => world.ask())).details["expected_audience"] as string;

const projectNumber: string = (await world.annotated({}))["metadata"].namespace;
const numbered = (service: string) => `https://${service}-${projectNumber}.us-central1.run.app`;

const WAYS: readonly Case[] = [
  ["a reserved path", "RESERVED_PATH", () => world.run(["invoke", "/healthz"])],
  [
    "internal ingress",
    "INGRESS_INTERNAL",
    () => under({ [`${ANNOTATION}/ingress`]: "internal" }, () => world.run(["invoke", "--url", url])),
  ],
  [
    "ingress through load balancers",
    "INGRESS_INTERNAL",
    () => under({ [`${ANNOTATION}/ingress`]: "internal-and-cloud-load-balancing" }, () => world.run(["invoke", "--url", url])),
  ],
  [
    "a disabled default URL",
    "DEFAULT_URL_DISABLED",
    () => under({ [`${ANNOTATION}/default-url-disabled`]: "true" }, () => world.run(["invoke", "--url", url])),
  ],
  ["a service that doesn't exist", "NO_SUCH_SERVICE", () => world.run(["invoke", url.replace("//hello-", "//nothing-")])],
  ["a service that doesn't exist, with the project number", "NO_SUCH_SERVICE", () => world.run(["invoke", numbered("nothing")])],
  [
    "internal ingress in another project than the configured one",
    "INGRESS_INTERNAL",
    () => under({ [`${ANNOTATION}/ingress`]: "internal" }, () => world.run(["--project", "some-other", "invoke", numbered("hello")])),
  ],
  ["a tag that doesn't exist", "NO_SUCH_TAG", () => world.run(["invoke", url.replace("//", "//candidate---")])],
  [
    "a service without a ready revision",
    "NO_REVISION",
    async () => {
      const { url: broken } = await world.deploy("broken", { Dockerfile: 'FROM node:22-slim\nCMD ["node", "-e", "0"]\n' });
      await world.api("run.googleapis.com", `/v1/projects/${project}/locations/us-central1/services/broken:setIamPolicy`, {
        policy: { bindings: [{ role: INVOKER, members: ["allUsers"] }] },
      });
      return world.run(["invoke", broken]);
    },
  ],
  [
    "404 for a caller without permission to look anything up",
    "NOT_SHOWN",
    () =>
      under({ [`${ANNOTATION}/ingress`]: "internal" }, () =>
        world.run(["invoke", "--url", url], { GOOGLE_APPLICATION_CREDENTIALS: world.environment["CREDS"] ?? "" }),
      ),
  ],
];

const IAP: readonly Case[] = [
  ["IAP and no credential", "IAP_NO_CREDENTIAL", () => guarded(() => world.ask())],
  ["IAP and a token for the service", "IAP_AUDIENCE_MISMATCH", () => guarded(() => world.run(["invoke"]))],
  [
    "IAP and a token without an email claim",
    "EMAIL_CLAIM_MISSING",
    async () => {
      const audience = await iapClient();
      await world.api("iam.googleapis.com", `/v1/projects/${project}/serviceAccounts/${caller}:setIamPolicy`, {
        policy: { bindings: [{ role: "roles/iam.serviceAccountOpenIdTokenCreator", members: [member] }] },
      });
      const { json } = await world.impersonate(caller, "generateIdToken", { audience });
      await world.api("iam.googleapis.com", `/v1/projects/${project}/serviceAccounts/${caller}:setIamPolicy`, { policy: {} });
      return guarded(() => world.ask({ authorization: bearer(json["token"]) }));
    },
  ],
  ["IAP and an invalid token", "IAP_CREDENTIAL_INVALID", () => guarded(() => world.ask({ authorization: bearer("nonsense") }))],
  [
    "IAP and a caller without its role",
    "IAP_ACCESS_DENIED",
    async () => {
      const audience = await iapClient();
      return guarded(() => world.run(["invoke", "--audience", audience]));
    },
  ],
];

const asEverybody = async (path: string, fault?: object): Promise<Named> => {
  await world.setPolicy({ role: INVOKER, members: ["allUsers"] });
  if (fault) await world.fault(fault);
  return world.run(["invoke", path]);
};

const STAND_INS: readonly Case[] = [
  ["no available instance", "NO_INSTANCE", () => asEverybody("/", { match: RUN_APP, status: 429 })],
  ["an instance that doesn't start", "INSTANCE_NOT_STARTED", () => asEverybody("/", { match: RUN_APP, status: 500 })],
  ["a connection that the service closes", "ANSWER_MALFORMED", () => asEverybody("/break")],
  ["a response that takes too long", "REQUEST_TIMED_OUT", () => asEverybody("/", { match: RUN_APP, status: 504 })],
];

holdRefusals(world, [...WAYS, ...IAP, ...STAND_INS]);
