import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BuildError } from "../engine/engine.ts";
import { privateFolder, removeEntries } from "../state/private-folder.ts";
import { findProject } from "../state/projects.ts";
import type { Image } from "../state/resources.ts";
import type { Runtime } from "../runtime.ts";
import type { State } from "../state/state.ts";
import { parseImageReference, tagKey, type ImageReference } from "./image-reference.ts";

/** An image that a build created and that isn't in a registry yet. */
export interface BuiltImage extends Omit<Image, "engine" | "createTime"> {
  readonly directory: string;
}

/** An image's folder: `images/HEX` in the data directory. */
export function imageDirectory(state: State, digest: string): string {
  return join(privateFolder(state, "images"), digest.replace(/^sha256:/, ""));
}

export function findImage(state: State, text: string): Image | undefined {
  const reference = parseImageReference(text);
  if (!reference) return undefined;
  return state.images.get(reference.digest ?? state.tags.get(tagKey(reference))?.digest ?? "");
}

/** Pushes an image under a reference. Throws a BuildError in Docker's words if the registry would reject it. */
export function pushImage(
  { state, engine, now }: Pick<Runtime, "state" | "engine" | "now">,
  image: BuiltImage,
  reference: ImageReference,
): void {
  checkRepository(state, reference);
  const { digest, config, directory } = image;
  const existing = state.images.get(digest);
  if (!existing) {
    const target = imageDirectory(state, digest);
    // A folder of an unknown image was left by a crash.
    rmSync(target, { recursive: true, force: true });
    renameSync(directory, target);
  }
  state.transaction(() => {
    if (!existing) state.images.set(digest, { digest, engine: engine.name, config, createTime: new Date(now()).toISOString() });
    state.tags.set(tagKey(reference), { reference: tagKey(reference), digest });
  });
}

/** Removes folders of unknown images, which a crash left. Call it while no build runs. */
export function removeUnknownImages(state: State): void {
  removeEntries(privateFolder(state, "images"), (name) => state.images.get(`sha256:${name}`) !== undefined);
}

function checkRepository(state: State, { name }: ImageReference): void {
  const [host = "", project = "", repository = "", ...image] = name.split("/");
  const location = /^([a-z0-9-]+)-docker\.pkg\.dev$/.exec(host)?.[1];
  if (!location && !/^(?:(?:us|eu|asia)\.)?gcr\.io$/.test(host))
    throw new BuildError(`The emulator can push only to gcr.io and *-docker.pkg.dev, not to ${host}.`);
  if (!findProject(state, project)) {
    const resource = `projects/${project}/locations/${location ?? "us"}/repositories/${location ? repository : host}`;
    throw new BuildError(
      `denied: Permission "artifactregistry.repositories.uploadArtifacts" denied on resource "${resource}" (or it may not exist)`,
    );
  }
  // Unlike Cloud Run: gcr.io accepts images without a repository in Artifact Registry.
  if (!location) return;
  if (image.length === 0)
    throw new BuildError(
      "name invalid: Missing image name. Pushes should be of the form docker push HOST-NAME/PROJECT-ID/REPOSITORY/IMAGE",
    );
  if (!state.repositories.get(`${project}/${location}/${repository}`))
    throw new BuildError(`name unknown: Repository "${repository}" not found`);
}
