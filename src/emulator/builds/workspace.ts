import { existsSync, realpathSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { BuildError } from "../engine/engine.ts";
import type { Runtime } from "../runtime.ts";
import { digestImage } from "./image-digest.ts";
import { parseImageReference, tagKey, type ImageReference } from "./image-reference.ts";
import type { BuiltImage } from "./registry.ts";

/** What the steps of one build share. */
export interface Workspace {
  /** The build's own folder; the source is in `workspace/` of it. */
  readonly folder: string;
  /** The images that the build has made, by their tags. */
  readonly images: Map<string, BuiltImage>;
  readonly signal: AbortSignal;
}

/** Where the source lies in Cloud Build's containers. */
export const ROOT = "/workspace";

/** The source's folder, free of symbolic links. */
export function sourceRoot({ folder }: Workspace): string {
  return realpathSync(join(folder, "workspace"));
}

/** A path of a step, on this machine. Nothing outside of the workspace can be named, by a symbolic link neither. */
export function inWorkspace(root: string, cwd: string, path: string): string {
  const named = isAbsolute(path) ? join(root, relative(ROOT, path)) : resolve(cwd, path);
  const real = existsSync(named) ? realpathSync(named) : named;
  if (real !== root && !real.startsWith(root + sep)) throw new BuildError(`path "${path}" is outside of ${ROOT}`);
  return real;
}

/** An image reference of a step; throws a BuildError in Docker's words. */
export function readReference(text: string): ImageReference {
  const reference = parseImageReference(text);
  if (reference) return reference;
  const why = /[A-Z]/.test(text.split(":")[0] ?? "") ? ": repository name must be lowercase" : "";
  throw new BuildError(`invalid reference format: "${text}"${why}`);
}

interface Recipe {
  readonly context: string;
  /** Absolute. */
  readonly dockerfile: string;
  readonly tags: readonly ImageReference[];
}

/** Builds an image and gives it its tags in the build; returns its digest. */
export async function makeImage(
  { engine }: Pick<Runtime, "engine">,
  { context, dockerfile, tags }: Recipe,
  { folder, images, signal }: Workspace,
  log: (text: string) => void,
): Promise<string> {
  const directory = join(folder, `image-${images.size}`);
  const config = await engine.build({ context, dockerfile: relative(context, dockerfile), directory, log, signal });
  const digest = await digestImage(directory, config);
  // An image without a tag stays the build's own, so that the folder of the next one has another name.
  if (tags.length === 0) images.set(digest, { digest, config, directory });
  for (const tag of tags) images.set(tagKey(tag), { digest, config, directory });
  return digest;
}
