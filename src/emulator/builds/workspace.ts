import { existsSync, realpathSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { BuildError } from "../engine/engine.ts";
import type { Runtime } from "../runtime.ts";
import { digestImage } from "../artifact-registry/image-digest.ts";
import { parseImageReference, tagKey, type ImageReference } from "../artifact-registry/image-reference.ts";
import type { BuiltImage } from "../artifact-registry/images.ts";

export interface Workspace {
  readonly runtime: Pick<Runtime, "state" | "engine" | "now">;
  readonly log: (text: string) => void;
  /** The build's folder; the source is in its `workspace/`. */
  readonly folder: string;
  /** The images that the build created, by tag. */
  readonly images: Map<string, BuiltImage>;
  readonly signal: AbortSignal;
}

/** The source's folder in Cloud Build's containers. */
export const WORKSPACE_PATH = "/workspace";

/** The source's folder on the host, without symbolic links. */
export function sourceRoot({ folder }: Workspace): string {
  return realpathSync(join(folder, "workspace"));
}

/** Resolves a step's path to a path on the host. Throws a BuildError for paths outside of the workspace, even through a symbolic link. */
export function resolveInWorkspace(root: string, cwd: string, path: string): string {
  const named = isAbsolute(path) ? join(root, relative(WORKSPACE_PATH, path)) : resolve(cwd, path);
  const real = existsSync(named) ? realpathSync(named) : named;
  if (real !== root && !real.startsWith(root + sep)) throw new BuildError(`path "${path}" is outside of ${WORKSPACE_PATH}`);
  return real;
}

/** Parses an image reference of a step. Throws a BuildError in Docker's words. */
export function requireReference(text: string): ImageReference {
  const reference = parseImageReference(text);
  if (reference) return reference;
  const reason = /[A-Z]/.test(text.split(":")[0] ?? "") ? ": repository name must be lowercase" : "";
  throw new BuildError(`invalid reference format: "${text}"${reason}`);
}

interface ImageBuild {
  readonly context: string;
  /** An absolute path. */
  readonly dockerfile: string;
  readonly tags: readonly ImageReference[];
}

export async function buildTaggedImage({ context, dockerfile, tags }: ImageBuild, workspace: Workspace): Promise<string> {
  const { runtime, folder, images, log, signal } = workspace;
  const directory = join(folder, `image-${images.size}`);
  const config = await runtime.engine.build({ context, dockerfile: relative(context, dockerfile), directory, log, signal });
  const digest = await digestImage(directory, config);
  // An image without a tag counts too, so that the folder of the next image has another name.
  if (tags.length === 0) images.set(digest, { digest, config, directory });
  for (const tag of tags) images.set(tagKey(tag), { digest, config, directory });
  return digest;
}
