import { ignoreMissing, need, fail, ok, warn, type Check, type Finding } from "./check.ts";
import { defaultAccount } from "./accounts.ts";
import { whoIs } from "./project.ts";
import type { World } from "./facts.ts";

interface Need {
  readonly name: string;
  /** To the end of "You may …". */
  readonly what: string;
  readonly permissions: readonly string[];
  readonly role: string;
  /** True where the road is walked without it. */
  readonly isOptional?: true;
}

const ACT_AS = "iam.serviceAccounts.actAs";

/**
 * What deploying takes. The original sample names Cloud Run Admin and Storage Admin, and forgets the others.
 * https://cloud.google.com/run/docs/reference/iam/roles and https://cloud.google.com/iam/docs/roles-permissions
 */
const NEEDS: readonly Need[] = [
  {
    name: "may-deploy",
    what: "deploy services and say who may call them",
    permissions: [
      "run.services.create",
      "run.services.get",
      "run.services.update",
      "run.services.getIamPolicy",
      "run.services.setIamPolicy",
    ],
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
    what: "upload sources",
    permissions: ["storage.buckets.create", "storage.buckets.get", "storage.objects.create", "storage.objects.get"],
    role: "roles/storage.admin",
  },
  {
    name: "may-push",
    what: "make the repository that images are pushed to",
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
    what: "read what services and builds write",
    permissions: ["logging.logEntries.list"],
    role: "roles/logging.viewer",
    isOptional: true,
  },
];

/** What the deployer may do: by testIamPermissions, which says it truly whichever roles, groups and folders it comes from. */
export function createPermissionChecks(): readonly Check[] {
  const known = new WeakMap<World, Promise<Held>>();
  const held = (world: World): Promise<Held> => {
    const asked = known.get(world) ?? askProject(world);
    known.set(world, asked);
    return asked;
  };
  return [
    ...NEEDS.map((each): Check => ({
      name: each.name,
      run: async (world) => judge(each, await held(world), await whoIs(world)),
    })),
    {
      name: "may-act-as",
      async run(world) {
        const { project, permissions, member } = await held(world);
        const who = await whoIs(world);
        const account = await runtimeAccount(world);
        if (permissions.has(ACT_AS)) return ok(`You may let services run as any account of ${project}.`, { details: { account } });
        const url = `https://iam.googleapis.com/v1/projects/${project}/serviceAccounts/${account}:testIamPermissions`;
        const client = await world.client();
        const answer = (await client.call({ method: "POST", url, body: { permissions: [ACT_AS] } })) as {
          readonly permissions?: readonly string[];
        };
        const details = { account, missing: answer.permissions?.includes(ACT_AS) ? [] : [ACT_AS] };
        if (details.missing.length === 0) return ok(`You may let services run as ${account}.`, { details });
        return fail("PERMISSION_DENIED", `${who} may not let services run as ${account}: it lacks ${ACT_AS}.`, {
          remedy: `gcloud iam service-accounts add-iam-policy-binding ${account} --member ${member} --role roles/iam.serviceAccountUser --project ${project}`,
          details,
        });
      },
    },
  ];
}

interface Held {
  readonly project: string;
  readonly permissions: ReadonlySet<string>;
  /** As a command line names the deployer. */
  readonly member: string;
}

async function askProject(world: World): Promise<Held> {
  const { id: project } = await need("project", world.project());
  const client = await world.client();
  const url = `https://cloudresourcemanager.googleapis.com/v1/projects/${project}:testIamPermissions`;
  const body = { permissions: [ACT_AS, ...NEEDS.flatMap(({ permissions }) => permissions)] };
  const { permissions = [] } = (await client.call({ method: "POST", url, body })) as { readonly permissions?: readonly string[] };
  const { principal } = await world.deployer();
  return { project, permissions: new Set(permissions), member: principal ?? "user:YOU" };
}

function judge({ what, permissions, role, isOptional }: Need, held: Held, who: string): Finding {
  const missing = permissions.filter((permission) => !held.permissions.has(permission));
  const details = { role, permissions, missing };
  if (missing.length === 0) return ok(`You may ${what}.`, { details });
  const more = { remedy: `gcloud projects add-iam-policy-binding ${held.project} --member ${held.member} --role ${role}`, details };
  const message = `${who} may not ${what}: it lacks ${missing.join(", ")}.`;
  return isOptional ? warn(message, more) : fail("PERMISSION_DENIED", message, more);
}

/** The account that the service runs as, or would. */
async function runtimeAccount(world: World): Promise<string> {
  const service = await world.service().catch(ignoreMissing);
  return service?.service_account ?? defaultAccount(await need("project", world.project()));
}
