import { INVOKER_ROLE } from "../../cloud/permissions.ts";
import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag, settingFlag } from "../../context/flag.ts";

const SERVICE = [argument("[service]", "Service name")] as const;

export const buildCommand = defineCommand({
  name: "build",
  summary: "Build a container image with Cloud Build",
  description:
    "Builds a directory's Dockerfile with Cloud Build and pushes the image.\nCreates the Artifact Registry repository if it doesn't exist.\n\n" +
    "Flags after -- are passed to `gcloud builds submit`. With --via api, only --timeout, --machine-type, and --disk-size are supported.",
  usage: "[flags] [dir] [-- gcloud flags]",
  arguments: [argument("[dir]", "Directory with the Dockerfile (default: current directory)")],
  flags: [settingFlag("--image <reference>", "Image to push (default: cloudrun-oauth/SERVICE in the region)")],
  examples: [
    ["cloudrun-oauth build"],
    ["cloudrun-oauth build ./hello --image europe-west1-docker.pkg.dev/my-project/apps/hello:v2"],
    ["cloudrun-oauth build -- --timeout 30m --machine-type e2-highcpu-8"],
  ],
  passesArguments: true,
  load: async () => (await import("./build.ts")).build,
});

export const deployCommand = defineCommand({
  name: "deploy",
  summary: "Deploy a service (private by default)",
  description:
    "Deploys a container image or a source directory as a private service.\n\n" +
    "Flags after -- are passed to `gcloud run deploy`. With --via api, a subset is supported: --memory, --cpu, --timeout, --concurrency, --min-instances, and others.",
  usage: "[flags] [service] [-- gcloud flags]",
  arguments: SERVICE,
  flags: [
    flag("--image <reference>", "Container image (default: the image that build pushes)"),
    flag("--source <dir>", "Source directory to build and deploy instead of an image"),
    flag("--tag <name>", "Traffic tag for the new revision"),
    flag("--no-traffic", "Deploy without sending traffic to the revision"),
    flag("--env <name=value>", "Environment variable. Repeatable.", { isRepeatable: true }),
    flag("--service-account <email>", "Service account that runs the service"),
    flag("--allow-unauthenticated", "Allow unauthenticated access (asks for confirmation)"),
  ],
  examples: [
    ["cloudrun-oauth deploy"],
    ["cloudrun-oauth deploy hello --no-traffic --tag next"],
    ["cloudrun-oauth deploy hello -- --memory 1Gi --cpu 2"],
  ],
  passesArguments: true,
  load: async () => (await import("./deploy.ts")).deploy,
});

export const describeCommand = defineCommand({
  name: "describe",
  summary: "Show a service's details",
  description: "Shows a service's URL, latest revision, resources, environment variable names, traffic, IAM members, and conditions.",
  arguments: SERVICE,
  flags: [flag("--url", "Print only the URL")],
  examples: [["cloudrun-oauth describe hello"], ["export CLOUD_RUN_SERVICE_URL=$(cloudrun-oauth describe hello --url)"]],
  load: async () => (await import("./describe.ts")).describe,
});

/** The member and the role that are granted or revoked. */
const MEMBER_FLAGS = [
  settingFlag("--member <member>", "Email address, group:…, domain:…, or allUsers"),
  flag("--role <role>", "IAM role", { default: INVOKER_ROLE }),
] as const;

export const grantCommand = defineCommand({
  name: "grant",
  summary: "Grant a principal permission to invoke a service",
  description:
    "Grants a member a role on a service. Adds the serviceAccount: or user: prefix to a plain email address. Asks for confirmation if this makes the service public.",
  arguments: SERVICE,
  flags: [...MEMBER_FLAGS, flag("--wait", "Wait until the change takes effect (up to 10 minutes)")],
  examples: [["cloudrun-oauth grant hello --member caller@my-project.iam.gserviceaccount.com --wait"]],
  load: async () => (await import("./grant.ts")).grant,
});

export const revokeCommand = defineCommand({
  name: "revoke",
  summary: "Revoke a principal's permission",
  description:
    "Revokes a member's role on a service. Warns if the member can still invoke the service through another role or the project.",
  arguments: SERVICE,
  flags: MEMBER_FLAGS,
  examples: [["cloudrun-oauth revoke hello --member caller@my-project.iam.gserviceaccount.com"]],
  load: async () => (await import("./revoke.ts")).revoke,
});

export const membersCommand = defineCommand({
  name: "members",
  summary: "List principals that can invoke a service",
  description:
    "Lists principals that can invoke a service through a role on the service or its project.\nDoesn't include roles inherited from folders or the organization.",
  arguments: SERVICE,
  flags: [flag("--all", "Include roles that don't grant invoke permission")],
  examples: [["cloudrun-oauth members hello"], ["cloudrun-oauth members hello --all --json"]],
  load: async () => (await import("./members.ts")).members,
});

export const listCommand = defineCommand({
  name: "list",
  summary: "List services in all regions",
  description: "Lists a project's services in all regions, or in the region set with --region.",
  examples: [["cloudrun-oauth list"], ["cloudrun-oauth list --region europe-west1 --json"]],
  load: async () => (await import("./list.ts")).list,
});

export const trafficCommand = defineCommand({
  name: "traffic",
  summary: "Show or split traffic between revisions",
  description:
    "Splits a service's traffic between revisions and sets traffic tags. Without flags, shows the " +
    "current split. LATEST refers to the latest ready revision. Any remaining percentage stays with " +
    "the current revision.",
  arguments: SERVICE,
  flags: [
    flag("--to <revision=percent>", "Revision and percentage, or a revision for 100%. Repeatable.", { isRepeatable: true }),
    flag("--tag <tag=revision>", "Traffic tag for a revision or LATEST. Repeatable.", { isRepeatable: true }),
    flag("--remove-tag <tag>", "Traffic tag to remove. Repeatable.", { isRepeatable: true }),
  ],
  examples: [
    ["cloudrun-oauth traffic hello"],
    ["cloudrun-oauth traffic hello --to hello-00002-abc=10"],
    ["cloudrun-oauth traffic hello --to hello-00001-xyz=10 --to LATEST=90"],
    ["cloudrun-oauth traffic hello --to LATEST"],
    ["cloudrun-oauth traffic hello --tag next=hello-00002-abc --remove-tag old"],
  ],
  load: async () => (await import("./traffic.ts")).traffic,
});

export const rollbackCommand = defineCommand({
  name: "rollback",
  summary: "Roll back to the previous ready revision",
  description:
    "Sends all traffic to the newest ready revision that is older than the one that is serving.\n" +
    "If the latest deployment failed, the previous revision is still serving and nothing changes.\n" +
    "Exits with 4 if there's no revision to roll back to.",
  arguments: SERVICE,
  flags: [flag("--to <revision>", "Revision to roll back to")],
  examples: [["cloudrun-oauth rollback hello"], ["cloudrun-oauth rollback hello --to hello-00001-xyz"]],
  load: async () => (await import("./rollback.ts")).rollback,
});

export const deleteCommand = defineCommand({
  name: "delete",
  summary: "Delete a service and all its revisions",
  description:
    "Deletes a service with all its revisions and its IAM policy. Container images are kept.\n" +
    "Can't be undone. Asks for the service's name; use --yes in scripts.",
  arguments: SERVICE,
  examples: [["cloudrun-oauth delete hello"], ["cloudrun-oauth delete hello --region europe-west1 --yes"]],
  load: async () => (await import("./delete.ts")).deleteService,
});
