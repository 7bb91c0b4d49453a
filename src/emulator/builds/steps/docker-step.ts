import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { BuildError } from "../../engine/engine.ts";
import type { Runtime } from "../../runtime.ts";
import type { BuildStep } from "../build-request.ts";
import { parseDockerCommand, type DockerCommand } from "./docker-command.ts";
import { tagKey } from "../image-reference.ts";
import { pushImage, type BuiltImage } from "../registry.ts";
import { inWorkspace, makeImage, readReference, ROOT, sourceRoot, type Workspace } from "../workspace.ts";

type Builder = Pick<Runtime, "state" | "engine" | "now">;

/** Carries out a step of the docker builder. Throws a BuildError where the step fails. */
export async function runDockerStep(builder: Builder, step: BuildStep, workspace: Workspace, log: (text: string) => void): Promise<void> {
  const command = parseDockerCommand(step.args);
  if (command.verb === "build") return build(builder, command, step, workspace, log);
  if (command.verb === "tag") {
    workspace.images.set(tagKey(readReference(command.target)), findBuilt(workspace, command.source));
    return;
  }
  push(builder, workspace, command.reference, log);
}

/** Pushes an image of the build, and says so as Docker does. Throws a BuildError where there is no such image, or the registry refuses it. */
export function push(builder: Builder, workspace: Workspace, text: string, log: (text: string) => void): BuiltImage {
  const reference = readReference(text);
  const image = findBuilt(workspace, text);
  log(`The push refers to repository [${reference.name}]\n`);
  pushImage(builder, image, reference);
  log(`${reference.tag ?? "latest"}: digest: ${image.digest}\n`);
  return image;
}

async function build(
  builder: Builder,
  command: Extract<DockerCommand, { verb: "build" }>,
  step: BuildStep,
  workspace: Workspace,
  log: (text: string) => void,
): Promise<void> {
  const tags = command.tags.map(readReference);
  const root = sourceRoot(workspace);
  const cwd = inWorkspace(root, root, step.dir);
  const context = inWorkspace(root, cwd, command.context);
  const dockerfile = command.dockerfile === undefined ? join(context, "Dockerfile") : inWorkspace(root, cwd, command.dockerfile);
  if (!existsSync(dockerfile)) {
    throw new BuildError(
      `unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat ${ROOT}/${relative(root, dockerfile)}: no such file or directory`,
    );
  }
  const digest = await makeImage(builder, { context, dockerfile, tags }, workspace, log);
  log(`Successfully built ${digest.slice("sha256:".length, "sha256:".length + 12)}\n`);
  for (const tag of tags) log(`Successfully tagged ${tagKey(tag)}\n`);
}

function findBuilt({ images }: Workspace, text: string): BuiltImage {
  const image = images.get(tagKey(readReference(text)));
  if (!image) throw new BuildError(`An image does not exist locally with the tag: ${text}`);
  return image;
}
