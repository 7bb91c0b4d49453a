import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { defaultImage } from "../../cloud/repository.ts";
import { parseVariables } from "../../cloud/environment-variables.ts";
import { requireServiceName } from "../../cloud/names.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { printPlan } from "../../context/print-plan.ts";

interface DeployFlags {
  readonly image?: string;
  readonly source?: string;
  readonly tag?: string;
  readonly traffic: boolean;
  readonly env?: readonly string[];
  readonly serviceAccount?: string;
  readonly allowUnauthenticated?: boolean;
}

/** Deploys an image or a folder's source, private by default, and waits until the revision is ready. */
export async function deploy(context: Context, name: string | undefined, flags: DeployFlags): Promise<void> {
  const { settings, terminal } = context;
  const serviceName = requireServiceName(settings, name);
  const { service } = serviceName;
  if (flags.image && flags.source)
    throw new CliError("USAGE", "--image and --source exclude each other.", {
      hint: "Say what to deploy: an image, or a folder to build.",
    });
  const content = flags.source
    ? { source: await assertFolder(resolve(context.cwd, flags.source)) }
    : { image: settings.get("image")?.value ?? defaultImage(serviceName) };

  const cloud = await context.cloud();
  const options = {
    ...serviceName,
    ...content,
    tag: flags.tag,
    noTraffic: !flags.traffic,
    env: parseVariables(flags.env ?? [], "--env "),
    serviceAccount: flags.serviceAccount,
    allowUnauthenticated: flags.allowUnauthenticated ?? false,
    gcloudFlags: context.passedArguments,
  };
  if (context.dryRun) return printPlan(terminal, cloud.plan("deploy", options));
  const text = { running: `Deploying ${service}`, done: `Deployed ${service}`, failed: "Deployment failed" };
  const deployed = await terminal.step(text, (tell) => cloud.deploy({ ...options, tell }));

  const tagged = deployed.traffic.find(({ tag }) => tag !== null && tag === flags.tag);
  setOutputs(context.env, `Deployed ${service}`, {
    url: deployed.url,
    revision: deployed.latest_created_revision,
    image: deployed.image,
    tag_url: tagged?.url ?? null,
  });
  if (terminal.json) return terminal.printJson(deployed);
  terminal.printTable([
    ["URL", deployed.url],
    ...(tagged?.url ? [["TAG", tagged.url]] : []),
    ["REVISION", deployed.latest_created_revision ?? ""],
    ["IMAGE", deployed.image ?? ""],
  ]);
}

async function assertFolder(directory: string): Promise<string> {
  const stats = await stat(directory).catch(() => undefined);
  if (stats?.isDirectory()) return directory;
  throw new CliError("NOT_FOUND", `There is no folder ${directory}.`, { hint: "Say --source with the folder that holds the service." });
}
