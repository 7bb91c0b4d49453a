import { join } from "node:path";
import { writeCloudBuildConfig } from "./cloudbuild.ts";
import { writeGitHubWorkflow } from "./github.ts";
import { writeGitLabPipeline } from "./gitlab.ts";
import type { Pipeline, System } from "./pipeline.ts";
import { providerName } from "./pipeline.ts";
import { applySetup } from "./apply-setup.ts";
import { chooseFileAction, writePipeline } from "./pipeline-file.ts";
import { readNumber, readPipeline, type PipelineFlags } from "./read-pipeline.ts";
import { computeAccount, planSetup } from "./setup-steps.ts";
import type { Cloud, GrantOptions } from "../../cloud/cloud.ts";
import type { Service } from "../../cloud/service.ts";
import { INVOKER_ROLE } from "../../cloud/permissions.ts";
import type { Context } from "../../context/context.ts";
import { printPlan } from "../../context/print-plan.ts";
import { relativePath } from "../../context/relative-path.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";

interface CiFlags extends PipelineFlags {
  readonly apply?: boolean;
  readonly print?: boolean;
  readonly force?: boolean;
}

const FILES: Readonly<Record<System, { readonly path: string; readonly write: (pipeline: Pipeline) => string }>> = {
  github: { path: ".github/workflows/deploy.yml", write: writeGitHubWorkflow },
  gitlab: { path: ".gitlab-ci.yml", write: writeGitLabPipeline },
  cloudbuild: { path: "cloudbuild.yaml", write: writeCloudBuildConfig },
};

/** Writes a pipeline that needs no stored key, and prints what it needs of the project; with `--apply`, sets the project up. */
function writeFor(system: System) {
  return async (context: Context, flags: CiFlags): Promise<void> => {
    const { cwd, dryRun, settings, terminal } = context;
    const { pipeline: pipelineWithoutNumber, root } = readPipeline(system, context, flags);
    const cloud = await context.cloud();
    const givenNumber = readNumber(flags);
    const number = givenNumber ?? (dryRun ? "PROJECT_NUMBER" : await lookUpNumber(context, cloud, pipelineWithoutNumber.project));
    const pipeline: Pipeline = { ...pipelineWithoutNumber, number };
    const { path, write } = FILES[system];
    const file = join(root, path);
    const text = write(pipeline);
    // Without the number, a dry run can't tell whether an existing file is up to date.
    const isForced = flags.force ?? (dryRun && givenNumber === undefined);
    const fileAction = flags.print ? "keep" : await chooseFileAction(file, text, isForced);

    const { project, region, service, caller } = pipeline;
    const grant = { project, region, service, member: `serviceAccount:${caller}`, role: INVOKER_ROLE };
    const deployed = dryRun || !flags.apply ? undefined : await findService(cloud, grant);
    const steps = planSetup(system, pipeline, pipeline.serviceAccount ?? deployed?.service_account ?? computeAccount(number));
    const lines = [...steps.flatMap((step) => cloud.plan("setUp", step)), ...cloud.plan("grant", grant)];
    if (dryRun) return printPlan(terminal, [...(fileAction === "keep" ? [] : [`write ${file}`]), ...lines]);

    if (settings.get("credentials")?.source.endsWith("cloudrun-oauth.json"))
      terminal.warn("cloudrun-oauth.json sets credentials, which don't exist in the pipeline. Remove them from the file.");
    const applied = flags.apply ? await applySetup(context, cloud, steps, deployed && grant) : null;
    if (!flags.print) await writePipeline(file, text, fileAction);
    const shownPath = relativePath(cwd, file);
    if (!flags.print) terminal.note(fileAction === "keep" ? `${shownPath} is up to date.` : `Wrote ${shownPath}.`);

    const provider = pipeline.provider ? providerName(pipeline, pipeline.provider) : null;
    const { repository, branch, deployer } = pipeline;
    if (terminal.json)
      return terminal.printJson({
        system,
        file: flags.print ? null : file,
        written: !flags.print && fileAction !== "keep",
        project,
        project_number: number,
        service,
        repository: repository ?? null,
        branch,
        provider,
        deployer,
        caller,
        setup: lines,
        applied,
        ...(flags.print && { pipeline: text }),
      });
    if (flags.print) return terminal.print(text);
    if (!applied) {
      terminal.note(`Run these commands once to set up project ${project}, or rerun with --apply:`);
      return terminal.print(lines.map((line) => `${line}\n`).join(""));
    }
    terminal.printTable([
      ["FILE", shownPath],
      ...(provider === null ? [] : [["PROVIDER", provider]]),
      ["DEPLOYER", deployer],
      ["CALLER", caller],
    ]);
    if (!deployed)
      terminal.nextSteps([nextStep(`When ${service} is deployed, to grant the caller access`, "grant", service, "--member", caller)]);
  };
}

export const ciGitHub = writeFor("github");
export const ciGitLab = writeFor("gitlab");
export const ciCloudBuild: (context: Context, flags: Omit<CiFlags, "repo" | "branch" | "issuer">) => Promise<void> = writeFor("cloudbuild");

async function lookUpNumber({ terminal }: Context, cloud: Cloud, project: string): Promise<string> {
  try {
    return await terminal.wait(`Checking project ${project}`, () => cloud.projectNumber({ project }));
  } catch (error) {
    if (!(error instanceof CliError) || error.code === "NOT_FOUND") throw error;
    throw error.with({ hint: `${error.hint ?? ""} To skip the lookup, pass --project-number.`.trim() });
  }
}

async function findService(cloud: Cloud, name: GrantOptions): Promise<Service | undefined> {
  try {
    return await cloud.describe(name);
  } catch (error) {
    if (error instanceof CliError && error.code === "NOT_FOUND" && error.subject?.kind === "service") return undefined;
    // Without the API, the service doesn't exist either; enabling it is the first step.
    if (error instanceof CliError && error.reason === "API_NOT_ENABLED") return undefined;
    throw error;
  }
}
