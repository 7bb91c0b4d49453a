import { fail, gcloudStep, ok, warn, type Check, type Finding } from "./check.ts";
import { defaultAccount } from "./accounts.ts";
import { describeDeployer, oncePerRun, type Facts } from "./facts.ts";
import { ignoreMissing, requireFact } from "./require-fact.ts";

interface Task {
  readonly name: string;
  /** Completes "You can …". */
  readonly what: string;
  readonly permissions: readonly string[];
  readonly role: string;
  /** True if `up` works without it. */
  readonly isOptional?: true;
}

const ACT_AS = "iam.serviceAccounts.actAs";

/**
 * The permissions that deploying needs. The original sample names Cloud Run Admin and Storage Admin, but not the others.
 * https://cloud.google.com/run/docs/reference/iam/roles and https://cloud.google.com/iam/docs/roles-permissions
 */
const TASKS: readonly Task[] = [
  {
    name: "may-deploy",
    what: "deploy services and manage access to them",
    permissions: ["create", "get", "update", "getIamPolicy", "setIamPolicy"].map((verb) => `run.services.${verb}`),
    role: "roles/run.admin",
  },
  {
    name: "may-build",
    what: "build images",
    permissions: ["cloudbuild.builds.create", "cloudbuild.builds.get"],
    role: "roles/cloudbuild.builds.editor",
  },
  {
    name: "may-upload",
    what: "upload source code",
    permissions: ["storage.buckets.create", "storage.buckets.get", "storage.objects.create", "storage.objects.get"],
    role: "roles/storage.admin",
  },
  {
    name: "may-push",
    what: "create the repository for images",
    permissions: ["artifactregistry.repositories.create", "artifactregistry.repositories.get"],
    role: "roles/artifactregistry.admin",
  },
  {
    name: "may-enable",
    what: "enable APIs",
    permissions: ["serviceusage.services.enable", "serviceusage.services.get"],
    role: "roles/serviceusage.serviceUsageAdmin",
    isOptional: true,
  },
  {
    name: "may-read-logs",
    what: "read service and build logs",
    permissions: ["logging.logEntries.list"],
    role: "roles/logging.viewer",
    isOptional: true,
  },
];

/** What the deployer can do, by testIamPermissions, which considers every role, group, and folder. */
export const permissionChecks: readonly Check[] = [
  ...TASKS.map((task): Check => ({
    name: task.name,
    run: async (facts) => checkTask(task, await readGrantedPermissions(facts), await describeDeployer(facts)),
  })),
  {
    name: "may-act-as",
    async run(facts) {
      const { project, permissions, member } = await readGrantedPermissions(facts);
      const account = await runtimeAccount(facts);
      if (permissions.has(ACT_AS)) return ok(`You can deploy services that run as any account in ${project}.`, { details: { account } });
      const url = `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts/${account}:testIamPermissions`;
      const request = { method: "POST", url, body: { permissions: [ACT_AS] } } as const;
      const answer = await (await facts.client()).call<{ readonly permissions?: readonly string[] }>(request);
      const missing = answer.permissions?.includes(ACT_AS) ? [] : [ACT_AS];
      const details = { account, missing };
      if (missing.length === 0) return ok(`You can deploy services that run as ${account}.`, { details });
      const grant = `iam service-accounts add-iam-policy-binding ${account} --member ${member} --role roles/iam.serviceAccountUser`;
      return fail(
        "PERMISSION_DENIED",
        `${await describeDeployer(facts)} can't deploy services that run as ${account}: missing ${ACT_AS}.`,
        { next: [gcloudStep("To grant the role", `${grant} --project ${project}`)], details },
      );
    },
  },
];

interface GrantedPermissions {
  readonly project: string;
  readonly permissions: ReadonlySet<string>;
  /** The deployer, as commands name a member. */
  readonly member: string;
}

const readGrantedPermissions = oncePerRun(async (facts): Promise<GrantedPermissions> => {
  const { id: project } = await requireFact("project", facts.project());
  const client = await facts.client();
  const url = `https://cloudresourcemanager.googleapis.com/v1/projects/${project}:testIamPermissions`;
  const body = { permissions: [ACT_AS, ...TASKS.flatMap(({ permissions }) => permissions)] };
  const { permissions = [] } = await client.call<{ readonly permissions?: readonly string[] }>({ method: "POST", url, body });
  const { principal } = await facts.deployer();
  return { project, permissions: new Set(permissions), member: principal ?? "user:YOU" };
});

function checkTask({ what, permissions, role, isOptional }: Task, granted: GrantedPermissions, deployer: string): Finding {
  const missing = permissions.filter((permission) => !granted.permissions.has(permission));
  const details = { role, permissions, missing };
  if (missing.length === 0) return ok(`You can ${what}.`, { details });
  const grant = `projects add-iam-policy-binding ${granted.project} --member ${granted.member} --role ${role}`;
  const more = { next: [gcloudStep("To grant the role", grant)], details };
  const message = `${deployer} can't ${what}: missing ${missing.join(", ")}.`;
  return isOptional ? warn(message, more) : fail("PERMISSION_DENIED", message, more);
}

/** The account that the service runs as, or will run as. */
async function runtimeAccount(facts: Facts): Promise<string> {
  const service = await facts.service().catch(ignoreMissing);
  return service?.service_account ?? defaultAccount(await requireFact("project", facts.project()));
}
