import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { persist } from "./backoff.ts";
import { createBuild, planBuild } from "./gcloud-build.ts";
import type { BuildOptions, Cloud, DeployOptions, GrantOptions, Place, Policy, ServiceName, Step } from "./cloud.ts";
import { gcloudLine, openGcloud, type Gcloud } from "./gcloud-process.ts";
import { readService } from "./knative-service.ts";

/** The control plane by the real gcloud. */
export function createGcloudCloud(context: Context): Cloud {
  const gcloud = openGcloud(context);
  const build = createBuild(gcloud, context);
  return {
    via: "gcloud",
    build,
    deploy: async (options) => readService(JSON.parse(await gcloud(deployLine(options))), options),
    describe: async (options) => readService(JSON.parse(await gcloud(describeLine(options), { isProbe: true })), options),
    policy: async (options) => readPolicy(await gcloud(policyLine(options), { isProbe: true })),
    grant: async (options) => readPolicy(await patiently(gcloud, context.signal, bindingLine("add", options))),
    revoke: async (options) => readPolicy(await patiently(gcloud, context.signal, bindingLine("remove", options))),
    account: async ({ project, account }) => {
      const line = ["iam", "service-accounts", "describe", account, "--project", project, "--quiet", "--format=json"];
      const { disabled = false } = JSON.parse(await gcloud(line, { isProbe: true })) as { disabled?: boolean };
      return { disabled };
    },
    plan: (step, options) => plans[step](options as never).map(gcloudLine),
  };
}

const plans: { readonly [Name in Step]: (options: Parameters<Cloud[Name]>[0]) => readonly (readonly string[])[] } = {
  build: (options: BuildOptions) => planBuild(options),
  deploy: (options) => [deployLine(options)],
  describe: (options) => [describeLine(options)],
  policy: (options) => [policyLine(options)],
  grant: (options) => [bindingLine("add", options)],
  revoke: (options) => [bindingLine("remove", options)],
};

/** What every line ends with: gcloud's own defaults are never relied on, and it never asks. */
function inPlace({ project, region }: Place): string[] {
  return ["--project", project, "--region", region, "--quiet", "--format=json"];
}

function deployLine(options: DeployOptions): string[] {
  const { service, image, source, tag, noTraffic, env, serviceAccount, allowUnauthenticated, gcloudFlags = [] } = options;
  return [
    "run",
    "deploy",
    service,
    ...(image === undefined ? ["--source", source ?? "."] : ["--image", image]),
    ...(tag === undefined ? [] : ["--tag", tag]),
    ...(noTraffic ? ["--no-traffic"] : []),
    ...(env && Object.keys(env).length > 0 ? ["--update-env-vars", pairs(env)] : []),
    ...(serviceAccount === undefined ? [] : ["--service-account", serviceAccount]),
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

function bindingLine(change: "add" | "remove", options: GrantOptions): string[] {
  const { service, member, role } = options;
  return ["run", "services", `${change}-iam-policy-binding`, service, "--member", member, "--role", role, ...inPlace(options)];
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
function patiently(gcloud: Gcloud, signal: AbortSignal, line: readonly string[]): Promise<string> {
  return persist(() => gcloud(line), { signal, conflicts: 20 });
}

function readPolicy(text: string): Policy {
  const { bindings = [], etag = "" } = JSON.parse(text) as Partial<Policy>;
  return { bindings, etag };
}
