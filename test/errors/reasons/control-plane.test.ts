import { createKeyFile } from "../../../src/cloud/api/accounts.ts";
import { holdRefusals, openRefusals, type Case, type Named } from "../../helpers/refusals.ts";

const world = await openRefusals();
const { project, caller } = world;
const ANNOTATION = "run.googleapis.com";

const withOrgPolicy = async (
  policy: { readonly constraint: string; readonly [rule: string]: unknown },
  ask: () => Promise<Named>,
): Promise<Named> => {
  await world.setOrgPolicy(policy);
  try {
    return await ask();
  } finally {
    await world.setOrgPolicy({ constraint: policy.constraint, restoreDefault: {} });
  }
};

const CONTROL_PLANE: readonly Case[] = [
  [
    "key creation that a policy forbids",
    "KEY_CREATION_FORBIDDEN",
    () =>
      withOrgPolicy({ constraint: "constraints/iam.disableServiceAccountKeyCreation", booleanPolicy: { enforced: true } }, () =>
        world.client((client) => createKeyFile(client, { project, email: caller })),
      ),
  ],
  [
    "allUsers although a policy restricts members",
    "MEMBER_DOMAIN_FORBIDDEN",
    () =>
      withOrgPolicy({ constraint: "constraints/iam.allowedPolicyMemberDomains", listPolicy: { allowedValues: ["C0abc"] } }, () =>
        world.run(["--via", "api", "grant", "--member", "allUsers", "--yes"]),
      ),
  ],
  [
    "disabling the invoker check although a policy requires it",
    "INVOKER_CHECK_REQUIRED",
    () =>
      withOrgPolicy({ constraint: "constraints/run.managed.requireInvokerIam", booleanPolicy: { enforced: true } }, async () => {
        const body = await world.annotated({ [`${ANNOTATION}/invoker-iam-disabled`]: "true" });
        const target = `https://us-central1-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/${project}/services/hello`;
        return world.client((client) => client.call({ method: "PUT", url: target, body }));
      }),
  ],
  [
    "a command from outside the perimeter",
    "VPC_SERVICE_CONTROLS",
    async () => {
      await world.fault({ match: "*run.googleapis.com", status: 403, reason: "VPC_SERVICE_CONTROLS" });
      return world.run(["--via", "api", "describe"]);
    },
  ],
  [
    "a disabled API",
    "API_NOT_ENABLED",
    async () => {
      const api = `/v1/projects/${project}/services/run.googleapis.com`;
      await world.api("serviceusage.googleapis.com", `${api}:disable`);
      const found = await world.run(["--via", "api", "describe"]);
      await world.api("serviceusage.googleapis.com", `${api}:enable`);
      return found;
    },
    "PERMISSION_DENIED",
  ],
];

holdRefusals(world, CONTROL_PLANE);
