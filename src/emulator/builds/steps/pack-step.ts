import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Application } from "../../buildpacks/application.ts";
import { detectApplication } from "../../buildpacks/detect.ts";
import { openSourceFiles } from "../../buildpacks/source-files.ts";
import { BuildError } from "../../engine/engine.ts";
import { prefixLines } from "../build-log.ts";
import type { BuildStep } from "../build-request.ts";
import { parsePackCommand, type PackCommand } from "./pack-command.ts";
import { resolveInWorkspace, buildTaggedImage, requireReference, sourceRoot, type Workspace } from "../workspace.ts";

// Unlike Cloud Run: buildpacks don't run: the emulator generates a Dockerfile with the same effect from the source, and ignores project.toml.
/** Runs a step of pack. Throws a BuildError in pack's words if it fails. */
export async function runPackStep(step: BuildStep, workspace: Workspace): Promise<void> {
  const { log } = workspace;
  const command = parsePackCommand(step.args);
  if (command.verb === "default-builder") return log(`Builder ${command.builder} is now the default builder\n`);
  const root = sourceRoot(workspace);
  const context = resolveInWorkspace(root, resolveInWorkspace(root, root, step.dir), command.path);
  if (!existsSync(context)) throw new BuildError(`ERROR: failed to build: invalid app path '${command.path}'`);

  const [image] = command.images;
  log(`===> ANALYZING\n[analyzer] Image with name "${image}" not found\n===> DETECTING\n`);
  const application = detectWithLog(context, command, log);
  for (const { id } of application.buildpacks) log(`[detector] ${id}\n`);
  log("===> RESTORING\n===> BUILDING\n");
  for (const { id, title, notes } of application.buildpacks)
    log([`=== ${title} (${id}) ===`, ...notes].map((line) => `[builder] ${line}\n`).join(""));
  const digest = await buildWithDockerfile(context, application, command, { ...workspace, log: prefixLines("[builder] ", log) });
  log(`===> EXPORTING\n[exporter] *** Images (${digest.slice("sha256:".length, "sha256:".length + 12)}):\n`);
  for (const name of command.images) log(`[exporter]       ${name}\n`);
  log(`Successfully built image ${image}\n`);
}

type Build = Extract<PackCommand, { verb: "build" }>;

function detectWithLog(context: string, { env }: Build, log: (text: string) => void): Application {
  let application: Application | undefined;
  try {
    application = detectApplication(openSourceFiles(context), env);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    log(`===> BUILDING\n[builder] Failure: ${error.message}\n[builder] ERROR: failed to build: exit status 1\n`);
    throw new BuildError("ERROR: failed to build: executing lifecycle: failed with status code: 51", { cause: error });
  }
  if (application) return application;
  log(
    "[detector] ERROR: No buildpack groups passed detection.\n[detector] ERROR: Please check that you are running against the correct path.\n",
  );
  log("[detector] ERROR: failed to detect: no buildpacks participating\n");
  throw new BuildError("ERROR: failed to build: executing lifecycle: failed with status code: 20");
}

async function buildWithDockerfile(context: string, { dockerfile }: Application, { images }: Build, workspace: Workspace): Promise<string> {
  // Buildpacks install all packages, and ignore .dockerignore.
  for (const name of ["node_modules", ".dockerignore"]) rmSync(join(context, name), { recursive: true, force: true });
  const file = join(workspace.folder, `Dockerfile-${workspace.images.size}`);
  writeFileSync(file, `${dockerfile}\n`);
  try {
    return await buildTaggedImage({ context, dockerfile: file, tags: images.map(requireReference) }, workspace);
  } catch (error) {
    if (!(error instanceof BuildError) || workspace.signal.aborted) throw error;
    workspace.log(`${error.message}\nERROR: failed to build: exit status 1\n`);
    throw new BuildError("ERROR: failed to build: executing lifecycle: failed with status code: 51", { cause: error });
  }
}
