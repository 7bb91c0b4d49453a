import { join, relative } from "node:path";
import { writeCloudBuildConfig } from "./cloudbuild.ts";
import { writeGitHubWorkflow } from "./github.ts";
import { writeGitLabPipeline } from "./gitlab.ts";
import type { Pipeline, System } from "./pipeline.ts";
import { providerName } from "./pipeline.ts";
import { patiently } from "./patience.ts";
import { decideFate, writePipeline } from "./pipeline-file.ts";
import { readNumber, readPipeline, type PipelineFlags } from "./read-pipeline.ts";
import { computeAccount, describeStep, setupSteps } from "./setup.ts";
import type { Cloud, GrantOptions, Service } from "../../cloud/cloud.ts";
import type { SetupOutcome, SetupStep } from "../../cloud/pipeline-setup.ts";
import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { printPlan } from "../../context/print-plan.ts";

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

/** Writes a pipeline that needs no stored key; says what it needs of the project, or with `--apply` makes it. */
function writeFor(system: System) {
  return async (context: Context, flags: CiFlags): Promise<void> => {
    const { cwd, dryRun, settings, terminal } = context;
    const { pipeline: known, root } = readPipeline(system, context, flags);
    const cloud = await context.cloud();
    const said = readNumber(flags);
    const number = said ?? (dryRun ? "PROJECT_NUMBER" : await lookUpNumber(context, cloud, known.project));
    const pipeline: Pipeline = { ...known, number };
    const { path, write } = FILES[system];
    const file = join(root, path);
    const text = write(pipeline);
    // Without the number nobody can tell whether what is there would be the same.
    const isForced = flags.force ?? (dryRun && said === undefined);
    const fate = flags.print ? "keep" : await decideFate(file, text, isForced);

    const { project, region, service, caller } = pipeline;
    const grant = { project, region, service, member: `serviceAccount:${caller}`, role: "roles/run.invoker" };
    const deployed = dryRun || !flags.apply ? undefined : await findService(cloud, grant);
    const steps = setupSteps(system, pipeline, pipeline.serviceAccount ?? deployed?.service_account ?? computeAccount(number));
    const lines = [...steps.flatMap((step) => cloud.plan("setUp", step)), ...cloud.plan("grant", grant)];
    if (dryRun) return printPlan(terminal, [...(fate === "keep" ? [] : [`write ${file}`]), ...lines]);

    if (settings.get("credentials")?.source.endsWith("cloudrun-oauth.json"))
      terminal.warn("cloudrun-oauth.json names a key file, and a pipeline would look for it: take it out of there.");
    const applied = flags.apply ? await apply(context, cloud, steps, deployed && grant) : null;
    if (!flags.print) await writePipeline(file, text, fate);
    const shown = relative(cwd, file) || file;
    if (!flags.print) terminal.note(fate === "keep" ? `${shown} is as it is to be.` : `Wrote ${shown}.`);
    if (flags.apply && !deployed)
      terminal.warn(`${service} is not deployed yet. When it is, let the caller in: cloudrun-oauth grant ${service} --member ${caller}`);

    const provider = pipeline.provider ? providerName(pipeline, pipeline.provider) : null;
    const { repository, branch, deployer } = pipeline;
    if (terminal.json)
      return terminal.printJson({
        system,
        file: flags.print ? null : file,
        written: !flags.print && fate !== "keep",
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
    if (applied)
      return terminal.printTable([
        ["FILE", shown],
        ...(provider === null ? [] : [["PROVIDER", provider]]),
        ["DEPLOYER", deployer],
        ["CALLER", caller],
      ]);
    terminal.note(`What it needs of project ${project}, once; or let it be done: cloudrun-oauth ci ${system} --apply`);
    terminal.print(lines.map((line) => `${line}\n`).join(""));
  };
}

export const ciGitHub = writeFor("github");
export const ciGitLab = writeFor("gitlab");
export const ciCloudBuild: (context: Context, flags: Omit<CiFlags, "repo" | "branch" | "issuer">) => Promise<void> = writeFor("cloudbuild");

async function lookUpNumber({ terminal }: Context, cloud: Cloud, project: string): Promise<string> {
  try {
    return await terminal.task(`Looking up the number of project ${project}`, () => cloud.projectNumber({ project }));
  } catch (error) {
    if (!(error instanceof CliError) || error.code === "NOT_FOUND") throw error;
    throw error.with({ hint: `${error.hint ?? ""} (Nobody is asked where the number is said: --project-number NUMBER)`.trim() });
  }
}

async function findService(cloud: Cloud, name: GrantOptions): Promise<Service | undefined> {
  try {
    return await cloud.describe(name);
  } catch (error) {
    if (error instanceof CliError && error.code === "NOT_FOUND" && error.subject?.kind === "service") return undefined;
    // Where the API is off there is no service either, and to enable it is the first step.
    if (error instanceof CliError && error.reason === "API_NOT_ENABLED") return undefined;
    throw error;
  }
}

interface Applied {
  readonly step: string;
  readonly outcome: SetupOutcome;
}

async function apply(context: Context, cloud: Cloud, steps: readonly SetupStep[], grant: GrantOptions | undefined): Promise<Applied[]> {
  const { terminal, signal } = context;
  const applied: Applied[] = [];
  const fresh: string[] = [];
  for (const step of steps) {
    const title = describeStep(step);
    const account = step.kind === "account-role" ? step.account : undefined;
    const work = () => cloud.setUp(step).catch((error: unknown) => Promise.reject(named(error, account)));
    const outcome = await terminal.task(title, () => patiently(work, { fresh, signal }));
    if (step.kind === "account" && outcome === "made") fresh.push(step.email);
    applied.push({ step: title, outcome });
  }
  if (grant) {
    const title = `${grant.role} on ${grant.service} for ${grant.member}`;
    await terminal.task(title, () => patiently(() => cloud.grant(grant), { fresh, signal }));
    applied.push({ step: title, outcome: "granted" });
  }
  return applied;
}

/** The error where an account is not there whose policy was to be changed; Google does not say which. */
function named(error: unknown, account: string | undefined): unknown {
  if (!(error instanceof CliError) || error.code !== "NOT_FOUND" || account === undefined || error.subject?.kind === "account")
    return error;
  return new CliError("NOT_FOUND", `There is no account ${account}.`, {
    hint: "Say the one that the service runs as: --service-account ACCOUNT",
    cause: error,
    subject: { kind: "account", name: account },
    details: { account },
  });
}
