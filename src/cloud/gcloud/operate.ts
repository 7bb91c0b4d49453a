import { CliError } from "../../errors/cli-error.ts";
import type { Cloud, Service } from "../cloud.ts";
import type { Place, ServiceName } from "../names.ts";
import type { Gcloud } from "./process.ts";
import { readRevisions, readVariables, type KnativeRevision } from "../messages/knative-revision.ts";
import { readService, readServices, type KnativeService } from "../messages/knative-service.ts";
import type { EnvironmentOptions, ListOptions, TrafficOptions } from "../operate.ts";
import { assertWhole, isDivided } from "../traffic.ts";

export type Operate = Pick<Cloud, "list" | "revisions" | "traffic" | "delete" | "environment" | "setEnvironment">;

/** One start of gcloud: its arguments, and what it reads from stdin. */
export interface GcloudCall {
  readonly args: readonly string[];
  readonly input?: string;
}

/** Operating services by gcloud. */
export function createOperate(gcloud: Gcloud): Operate {
  const describe = async (options: ServiceName) => JSON.parse(await gcloud(describeLine(options), { isProbe: true })) as KnativeService;
  return {
    list: async (options) => readServices(JSON.parse(await gcloud(listLine(options))) as KnativeService[], options.project),
    async revisions(options) {
      const [service, revisions] = await Promise.all([describe(options), gcloud(revisionsLine(options), { isProbe: true })]);
      return readRevisions(JSON.parse(revisions) as KnativeRevision[], readService(service, options));
    },
    async traffic(options) {
      assertWhole(options.to);
      const read = async () => readService(await describe(options), options);
      try {
        await gcloud(trafficLine(options));
      } catch (error) {
        return await unlessDivided(error, read, options);
      }
      return read();
    },
    delete: async (options) => void (await gcloud(deleteLine(options))),
    environment: async (options) => readVariables((await describe(options)).spec?.template?.spec),
    async setEnvironment(options) {
      const { args, input } = environmentCall(options);
      return readService(JSON.parse(await gcloud(args, { input })) as KnativeService, options);
    },
  };
}

/** The calls of each step, in order. */
export const operateCalls = {
  list: (options: ListOptions): GcloudCall[] => [{ args: listLine(options) }],
  revisions: (options: ServiceName): GcloudCall[] => [{ args: describeLine(options) }, { args: revisionsLine(options) }],
  traffic: (options: TrafficOptions): GcloudCall[] => [{ args: trafficLine(options) }],
  delete: (options: ServiceName): GcloudCall[] => [{ args: deleteLine(options) }],
  environment: (options: ServiceName): GcloudCall[] => [{ args: describeLine(options) }],
  setEnvironment: (options: EnvironmentOptions): GcloudCall[] => [environmentCall(options)],
};

/** gcloud says that it failed where the latest revision is not ready, even though that one was to get no traffic. */
async function unlessDivided(error: unknown, read: () => Promise<Service>, options: TrafficOptions): Promise<Service> {
  if (!(error instanceof CliError) || !["DEPLOY_FAILED", "GCLOUD_FAILED"].includes(error.code)) throw error;
  const service = await read();
  if (!isDivided(service, options)) throw error;
  return service;
}

function inPlace({ project, region }: Place): string[] {
  return ["--project", project, "--region", region, "--quiet", "--format=json"];
}

function describeLine(options: ServiceName): string[] {
  return ["run", "services", "describe", options.service, ...inPlace(options)];
}

function listLine({ project, region }: ListOptions): string[] {
  return [
    "run",
    "services",
    "list",
    "--project",
    project,
    ...(region === undefined ? [] : ["--region", region]),
    "--quiet",
    "--format=json",
  ];
}

function revisionsLine(options: ServiceName): string[] {
  return ["run", "revisions", "list", "--service", options.service, ...inPlace(options)];
}

function deleteLine(options: ServiceName): string[] {
  return ["run", "services", "delete", options.service, ...inPlace(options)];
}

function trafficLine(options: TrafficOptions): string[] {
  const { service, to, setTags = {}, removeTags = [] } = options;
  const tags = Object.entries(setTags).map(([tag, revision]) => `${tag}=${revision}`);
  return [
    "run",
    "services",
    "update-traffic",
    service,
    ...(to.length === 0 ? [] : ["--to-revisions", to.map(({ revision, percent }) => `${revision}=${percent}`).join(",")]),
    ...(tags.length === 0 ? [] : ["--update-tags", tags.join(",")]),
    ...(removeTags.length === 0 ? [] : ["--remove-tags", removeTags.join(",")]),
    ...inPlace(options),
  ];
}

/** The values go in by stdin: what stands on a command line is seen by everybody on this machine. See gcloud topic flags-file. */
function environmentCall(options: EnvironmentOptions): GcloudCall {
  const { service, set = {}, unset = [] } = options;
  const hasValues = Object.keys(set).length > 0;
  return {
    args: [
      "run",
      "services",
      "update",
      service,
      // Of variables, the one flag takes those with a value of their own, the other those from a secret.
      ...(unset.length === 0 ? [] : ["--remove-env-vars", unset.join(","), "--remove-secrets", unset.join(",")]),
      ...(hasValues ? ["--flags-file", "-"] : []),
      ...inPlace(options),
    ],
    ...(hasValues && { input: JSON.stringify({ "--update-env-vars": set }) }),
  };
}
