import { CliError } from "../../errors/cli-error.ts";
import type { DeployOptions, LabelOptions, EnvironmentOptions, ListOptions } from "../cloud.ts";
import type { Service } from "../service.ts";
import { readRevisions, readVariables, type KnativeRevision } from "../messages/knative-revision.ts";
import { readService, readServices, type KnativeService } from "../messages/knative-service.ts";
import type { ServiceName } from "../names.ts";
import type { TrafficOptions } from "../traffic.ts";
import { assertPercentsAddUp, isTrafficApplied } from "../traffic.ts";
import { defineVerb } from "../verb.ts";
import { commandVerb, flag, joinPairs, jsonCommand, parseGcloudJson } from "./command.ts";
import { gcloudLine, type Gcloud } from "./process.ts";

export function serviceVerbs(gcloud: Gcloud) {
  const describe = commandVerb(gcloud, { args: describeArgs, read: readServiceOutput });
  return {
    describe,
    deploy: commandVerb(gcloud, {
      args: deployArgs,
      showsProgress: true,
      tell: ({ tell }: DeployOptions) => tell,
      read: readServiceOutput,
    }),
    list: commandVerb(gcloud, {
      args: (options: ListOptions) => jsonCommand(["run", "services", "list"], options),
      // It names regions that didn't respond.
      showsProgress: true,
      read: (stdout, { project }) => readServices(parseGcloudJson(stdout), project),
    }),
    revisions: defineVerb({
      plan: (options: ServiceName) => [gcloudLine(describeArgs(options)), gcloudLine(revisionsArgs(options))],
      async run(options) {
        const [service, stdout] = await Promise.all([describe(options), gcloud(revisionsArgs(options))]);
        return readRevisions(parseGcloudJson<KnativeRevision[]>(stdout), service);
      },
    }),
    traffic: defineVerb({
      plan: (options: TrafficOptions) => [gcloudLine(trafficArgs(options))],
      async run(options) {
        assertPercentsAddUp(options.to);
        try {
          await gcloud(trafficArgs(options));
        } catch (error) {
          return await unlessDivided(error, () => describe(options), options);
        }
        return describe(options);
      },
    }),
    delete: commandVerb(gcloud, {
      args: (options: ServiceName) => jsonCommand(["run", "services", "delete", options.service], options),
      read: () => {},
    }),
    environment: commandVerb(gcloud, {
      args: describeArgs,
      read: (stdout) => readVariables(parseGcloudJson<KnativeService>(stdout).spec?.template?.spec),
    }),
    setEnvironment: commandVerb(gcloud, { args: environmentArgs, input: environmentInput, read: readServiceOutput }),
    setLabels: commandVerb(gcloud, { args: labelsArgs, read: readServiceOutput }),
  };
}

function readServiceOutput(stdout: string, options: ServiceName): Service {
  return readService(parseGcloudJson<KnativeService>(stdout), options);
}

/** gcloud fails if the latest revision is not ready, even when that one gets no traffic. */
async function unlessDivided(error: unknown, read: () => Promise<Service>, options: TrafficOptions): Promise<Service> {
  if (!(error instanceof CliError) || !["DEPLOY_FAILED", "GCLOUD_FAILED"].includes(error.code)) throw error;
  const service = await read();
  if (!isTrafficApplied(service, options)) throw error;
  return service;
}

function deployArgs(options: DeployOptions): string[] {
  const { service, image, source = ".", tag, noTraffic, env = {}, serviceAccount, labels, allowUnauthenticated, gcloudFlags } = options;
  const flags = [
    ...(image === undefined ? ["--source", source] : ["--image", image]),
    ...flag("--tag", tag),
    ...(noTraffic ? ["--no-traffic"] : []),
    ...flag("--update-env-vars", escapedPairs(env)),
    ...flag("--service-account", serviceAccount),
    ...flag("--labels", joinPairs(labels)),
    allowUnauthenticated ? "--allow-unauthenticated" : "--no-allow-unauthenticated",
  ];
  return jsonCommand(["run", "deploy", service, ...flags], options, gcloudFlags);
}

function describeArgs(options: ServiceName): string[] {
  return jsonCommand(["run", "services", "describe", options.service], options);
}

function revisionsArgs(options: ServiceName): string[] {
  return jsonCommand(["run", "revisions", "list", "--service", options.service], options);
}

function trafficArgs(options: TrafficOptions): string[] {
  const { service, to, setTags, removeTags = [] } = options;
  const flags = [
    ...flag("--to-revisions", to.map(({ revision, percent }) => `${revision}=${percent}`).join(",")),
    ...flag("--update-tags", joinPairs(setTags)),
    ...flag("--remove-tags", removeTags.join(",")),
  ];
  return jsonCommand(["run", "services", "update-traffic", service, ...flags], options);
}

function environmentArgs(options: EnvironmentOptions): string[] {
  const { service, unset = [] } = options;
  const flags = [
    // The first removes variables with a value, the second those from a secret.
    ...flag("--remove-env-vars", unset.join(",")),
    ...flag("--remove-secrets", unset.join(",")),
    ...(environmentInput(options) === undefined ? [] : ["--flags-file", "-"]),
  ];
  return jsonCommand(["run", "services", "update", service, ...flags], options);
}

/** The values go to stdin: other users of the machine can read a command line. See gcloud topic flags-file. */
function environmentInput({ set = {} }: EnvironmentOptions): string | undefined {
  return Object.keys(set).length > 0 ? JSON.stringify({ "--update-env-vars": set }) : undefined;
}

function labelsArgs(options: LabelOptions): string[] {
  const { service, set, remove = [] } = options;
  const flags = [...flag("--update-labels", joinPairs(set)), ...flag("--remove-labels", remove.join(","))];
  return jsonCommand(["run", "services", "update", service, ...flags], options);
}

/** `A=1,B=2` in gcloud's format, with another delimiter if a value contains a comma. See gcloud topic escaping. */
function escapedPairs(env: Readonly<Record<string, string>>): string {
  const texts = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const delimiter = [",", ";", "|", "@@", "::", "%%", "##", "~~"].find((candidate) => !texts.some((text) => text.includes(candidate)));
  if (delimiter === undefined)
    throw new CliError("USAGE", "The --env values contain too many different separators for gcloud.", {
      hint: "Pass them in a file: -- --env-vars-file FILE",
    });
  return delimiter === "," && !texts[0]?.startsWith("^") ? texts.join(",") : `^${delimiter}^${texts.join(delimiter)}`;
}
