import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { BuildError } from "../../engine/engine.ts";
import type { BuildStep } from "../build-request.ts";
import { parseDockerCommand, type DockerCommand } from "./docker-command.ts";
import { tagKey } from "../../artifact-registry/image-reference.ts";
import { pushImage, type BuiltImage } from "../../artifact-registry/images.ts";
import { resolveInWorkspace, buildTaggedImage, requireReference, WORKSPACE_PATH, sourceRoot, type Workspace } from "../workspace.ts";

/** Runs a step of the docker builder. Throws a BuildError if it fails. */
export async function runDockerStep(step: BuildStep, workspace: Workspace): Promise<void> {
  const command = parseDockerCommand(step.args);
  if (command.verb === "build") return build(command, step, workspace);
  if (command.verb === "tag") {
    workspace.images.set(tagKey(requireReference(command.target)), requireBuiltImage(workspace, command.source));
    return;
  }
  pushBuiltImage(command.reference, workspace);
}

/** Pushes an image of the build, and logs it as Docker does. Throws a BuildError if the image doesn't exist or the registry rejects it. */
export function pushBuiltImage(text: string, workspace: Workspace): BuiltImage {
  const { runtime, log } = workspace;
  const reference = requireReference(text);
  const image = requireBuiltImage(workspace, text);
  log(`The push refers to repository [${reference.name}]\n`);
  pushImage(runtime, image, reference);
  log(`${reference.tag ?? "latest"}: digest: ${image.digest}\n`);
  return image;
}

type DockerBuild = Extract<DockerCommand, { verb: "build" }>;

async function build(command: DockerBuild, step: BuildStep, workspace: Workspace): Promise<void> {
  const tags = command.tags.map(requireReference);
  const root = sourceRoot(workspace);
  const cwd = resolveInWorkspace(root, root, step.dir);
  const context = resolveInWorkspace(root, cwd, command.context);
  const dockerfile = command.dockerfile === undefined ? join(context, "Dockerfile") : resolveInWorkspace(root, cwd, command.dockerfile);
  if (!existsSync(dockerfile)) {
    throw new BuildError(
      `unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat ${WORKSPACE_PATH}/${relative(root, dockerfile)}: no such file or directory`,
    );
  }
  const digest = await buildTaggedImage({ context, dockerfile, tags }, workspace);
  workspace.log(`Successfully built ${digest.slice("sha256:".length, "sha256:".length + 12)}\n`);
  for (const tag of tags) workspace.log(`Successfully tagged ${tagKey(tag)}\n`);
}

function requireBuiltImage({ images }: Workspace, text: string): BuiltImage {
  const image = images.get(tagKey(requireReference(text)));
  if (!image) throw new BuildError(`An image does not exist locally with the tag: ${text}`);
  return image;
}
