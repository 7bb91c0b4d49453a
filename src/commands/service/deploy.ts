import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { parseVariables } from "../../cloud/environment-variables.ts";
import { requireServiceName } from "../../cloud/names.ts";
import { INVOKER_ROLE } from "../../cloud/permissions.ts";
import { defaultImage } from "../../cloud/repository.ts";
import type { Context } from "../../context/context.ts";
import { setOutputs } from "../../context/pipeline-outputs.ts";
import { printPlan } from "../../context/print-plan.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { confirmAccess } from "./confirm-access.ts";

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
  const { settings, terminal, passedArguments: gcloudFlags } = context;
  const serviceName = requireServiceName(settings, name);
  const { service } = serviceName;
  if (flags.image && flags.source) throw new CliError("USAGE", "--image and --source can't be used together.");
  const content = flags.source
    ? { source: await assertFolder(resolve(context.cwd, flags.source)) }
    : { image: settings.get("image")?.value ?? defaultImage(serviceName) };
  const { tag, serviceAccount, allowUnauthenticated = false } = flags;
  const env = parseVariables(flags.env ?? [], "--env ");
  const cloud = await context.cloud();
  const options = { ...serviceName, ...content, tag, noTraffic: !flags.traffic, env, serviceAccount, allowUnauthenticated, gcloudFlags };
  if (context.dryRun) return printPlan(terminal, cloud.plan("deploy", options));
  const isPublic = allowUnauthenticated || gcloudFlags.includes("--allow-unauthenticated");
  if (isPublic && !(await confirmAccess(context, service, { member: "allUsers", role: INVOKER_ROLE }))) return;
  const text = { running: `Deploying ${service}`, done: `Deployed ${service}`, failed: "Deployment failed" };
  const deployed = await terminal.step(text, (tell) => cloud.deploy({ ...options, tell }));

  const { url, image, latest_created_revision: revision } = deployed;
  const tagUrl = (tag !== undefined && deployed.traffic.find((target) => target.tag === tag)?.url) || null;
  setOutputs(context.env, `Deployed ${service}`, { url, revision, image, tag_url: tagUrl });
  if (terminal.json) return terminal.printJson(deployed);
  terminal.printTable([["URL", url], ...(tagUrl === null ? [] : [["TAG", tagUrl]]), ["REVISION", revision ?? ""], ["IMAGE", image ?? ""]]);
  terminal.nextSteps([
    ...(isPublic ? [] : [nextStep("To grant access", "grant", service, "--member", settings.get("member")?.value ?? "MEMBER")]),
    nextStep("To call it", "invoke", service),
  ]);
}

async function assertFolder(directory: string): Promise<string> {
  const stats = await stat(directory).catch(() => undefined);
  if (stats?.isDirectory()) return directory;
  throw new CliError("NOT_FOUND", `Directory not found: ${directory}`, {
    hint: "Set --source to the directory with the service's source.",
  });
}
