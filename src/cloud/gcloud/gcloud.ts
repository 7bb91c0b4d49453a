import { createCloud, type Cloud, type EnableOptions } from "../cloud.ts";
import type { CloudContext } from "../cloud-context.ts";
import { logFilter, type LogEntry, type LogQuery } from "../logs.ts";
import type { ProjectName } from "../names.ts";
import { accountVerbs } from "./accounts.ts";
import { artifactRegistryVerbs } from "./artifact-registry.ts";
import { buildVerb } from "./build.ts";
import { commandVerb, flag, jsonCommand, parseGcloudJson } from "./command.ts";
import { policyVerbs } from "./policies.ts";
import { openGcloud } from "./process.ts";
import { serviceVerbs } from "./services.ts";
import { setUpVerb } from "./setup.ts";

export function createGcloudCloud(context: CloudContext): Cloud {
  const gcloud = openGcloud(context);
  return createCloud("gcloud", {
    ...serviceVerbs(gcloud),
    ...policyVerbs(gcloud, context.signal),
    ...accountVerbs(gcloud),
    ...artifactRegistryVerbs(gcloud),
    build: buildVerb(gcloud, context),
    setUp: setUpVerb(gcloud),
    readLogs: commandVerb(gcloud, {
      args: readLogsArgs,
      read: (stdout) => parseGcloudJson<LogEntry[]>(stdout).toReversed(),
    }),
    projectNumber: commandVerb(gcloud, {
      args: ({ project }: ProjectName) => jsonCommand(["projects", "describe", project]),
      read: (stdout) => parseGcloudJson<{ readonly projectNumber: string }>(stdout).projectNumber,
    }),
    enable: commandVerb(gcloud, {
      args: ({ project, apis }: EnableOptions) => ["services", "enable", ...apis, "--project", project, "--quiet"],
      read: () => {},
    }),
  });
}

/** `logging tail` needs a component that few have installed, and `run services logs read` doesn't show traces. */
function readLogsArgs(query: LogQuery): string[] {
  const limit = flag("--limit", query.limit?.toString());
  return jsonCommand(["logging", "read", logFilter(query), "--order", "desc", ...limit], { project: query.project });
}
