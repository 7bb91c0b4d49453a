import type { CloudContext } from "../cloud-context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { withRetry } from "../retry.ts";
import { accountLines, createAccounts } from "./accounts.ts";
import { createBuild, planBuild } from "./build.ts";
import { createImages, imageLines, labelList } from "./images.ts";
import { createOperate, operateCalls, type GcloudCall } from "./operate.ts";
import type { BuildOptions, Cloud, DeployOptions, GrantOptions, Policy, Step } from "../cloud.ts";
import type { Place, ServiceName } from "../names.ts";
import { createLogs, logLines } from "./logs.ts";
import { gcloudLine, openGcloud, type Gcloud } from "./process.ts";
import { setUpByGcloud, setupLine } from "./setup.ts";
import { createProject, projectLines } from "./project.ts";
import { readService } from "../messages/knative-service.ts";
import { notInRole } from "../member.ts";

/** The control plane by the real gcloud. */
export function createGcloudCloud(context: CloudContext): Cloud {
  const gcloud = openGcloud(context);
  const build = createBuild(gcloud, context);
  return {
    via: "gcloud",
    build,
    deploy: async (options) => readService(JSON.parse(await gcloud(deployLine(options))), options),
    describe: async (options) => readService(JSON.parse(await gcloud(describeLine(options), { isProbe: true })), options),
    policy: async (options) => readPolicy(await gcloud(policyLine(options), { isProbe: true })),
    grant: async (options) => readPolicy(await patiently(gcloud, context.signal, bindingLine("add", options))),
    projectNumber: async (project) =>
      (
        JSON.parse(await gcloud(["projects", "describe", project, "--quiet", "--format=json"], { isProbe: true })) as {
          projectNumber: string;
        }
      ).projectNumber,
    setUp: (step) => setUpByGcloud(gcloud, step),
    revoke: async (options) =>
      readPolicy(
        await patiently(gcloud, context.signal, bindingLine("remove", options), (error, attempt) => {
          if (!(error instanceof CliError && error.message.startsWith("Policy binding with the specified"))) throw error;
          // He was in it when somebody else was faster: with this very change.
          if (attempt > 1) return gcloud(policyLine(options));
          throw notInRole(options, error.cause);
        }),
      ),
    ...createAccounts(gcloud),
    ...createLogs(gcloud),
    ...createProject(gcloud),
    ...createOperate(gcloud),
    ...createImages(gcloud),
    plan: (step, options) =>
      plans[step](options as never).map((call) => ("args" in call ? gcloudLine(call.args, call.input) : gcloudLine(call))),
  };
}

const plans: { readonly [Name in Step]: (options: Parameters<Cloud[Name]>[0]) => readonly (readonly string[] | GcloudCall)[] } = {
  build: (options: BuildOptions) => planBuild(options),
  deploy: (options) => [deployLine(options)],
  describe: (options) => [describeLine(options)],
  policy: (options) => [policyLine(options)],
  grant: (options) => [bindingLine("add", options)],
  revoke: (options) => [bindingLine("remove", options)],
  setUp: (step) => [setupLine(step)],
  ...accountLines,
  ...logLines,
  ...projectLines,
  ...operateCalls,
  ...imageLines,
};

/** What every line ends with: gcloud's own defaults are never relied on, and it never asks. */
function inPlace({ project, region }: Place): string[] {
  return ["--project", project, "--region", region, "--quiet", "--format=json"];
}

function deployLine(options: DeployOptions): string[] {
  const { service, image, source, tag, noTraffic, env, serviceAccount, labels, allowUnauthenticated, gcloudFlags = [] } = options;
  return [
    "run",
    "deploy",
    service,
    ...(image === undefined ? ["--source", source ?? "."] : ["--image", image]),
    ...(tag === undefined ? [] : ["--tag", tag]),
    ...(noTraffic ? ["--no-traffic"] : []),
    ...(env && Object.keys(env).length > 0 ? ["--update-env-vars", pairs(env)] : []),
    ...(serviceAccount === undefined ? [] : ["--service-account", serviceAccount]),
    ...(labels === undefined ? [] : ["--labels", labelList(labels)]),
    allowUnauthenticated ? "--allow-unauthenticated" : "--no-allow-unauthenticated",
    ...inPlace(options),
    ...gcloudFlags,
  ];
}

function describeLine(options: ServiceName): string[] {
  return ["run", "services", "describe", options.service, ...inPlace(options)];
}

function policyLine(options: ServiceName): string[] {
  return ["run", "services", "get-iam-policy", options.service, ...inPlace(options)];
}

/** Where a policy has conditions, gcloud wants to be told that this binding has none. */
function bindingLine(change: "add" | "remove", options: GrantOptions): string[] {
  const { service, member, role } = options;
  return [
    "run",
    "services",
    `${change}-iam-policy-binding`,
    service,
    "--member",
    member,
    "--role",
    role,
    "--condition=None",
    ...inPlace(options),
  ];
}

/** `A=1,B=2` in gcloud's way, with another delimiter where a value holds a comma. See gcloud topic escaping. */
function pairs(env: Readonly<Record<string, string>>): string {
  const texts = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const delimiter = [",", ";", "|", "@@", "::", "%%", "##", "~~"].find((candidate) => !texts.some((text) => text.includes(candidate)));
  if (delimiter === undefined)
    throw new CliError("USAGE", "The values of --env hold too many kinds of punctuation for gcloud.", {
      hint: "Give them in a file: -- --env-vars-file FILE",
    });
  return delimiter === "," && !texts[0]?.startsWith("^") ? texts.join(",") : `^${delimiter}^${texts.join(delimiter)}`;
}

/** gcloud retries its own read-modify-write a few times; where many change one policy at once that is not enough. */
function patiently(
  gcloud: Gcloud,
  signal: AbortSignal,
  line: readonly string[],
  orElse: (error: unknown, attempt: number) => Promise<string> = async (error) => {
    throw error;
  },
): Promise<string> {
  return withRetry((attempt) => gcloud(line).catch((error: unknown) => orElse(error, attempt)), { signal, conflicts: 20 });
}

function readPolicy(text: string): Policy {
  const { bindings = [], etag = "" } = JSON.parse(text) as Partial<Policy>;
  return { bindings, etag };
}
