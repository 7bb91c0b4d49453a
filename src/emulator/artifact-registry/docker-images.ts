import type { State } from "../state/state.ts";

// Unlike Cloud Run: an image without tags isn't listed anymore; references by digest still find it.
/**
 * Lists the images of a repository by its key `PROJECT/LOCATION/REPOSITORY`:
 * https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories.dockerImages
 */
export function listDockerImages(state: State, key: string) {
  const [project = "", location = "", repository = ""] = key.split("/");
  const registry = `${location}-docker.pkg.dev/${project}/${repository}/`;
  const images = new Map<string, { path: string; digest: string; tags: string[] }>();
  for (const { reference, digest } of state.tags.list(registry)) {
    const [path = "", tag = ""] = reference.slice(registry.length).split(":");
    const image = images.get(`${path}@${digest}`) ?? { path, digest, tags: [] };
    image.tags.push(tag);
    images.set(`${path}@${digest}`, image);
  }
  return [...images.values()].map(({ path, digest, tags }) => {
    const { createTime = "" } = state.images.get(digest) ?? {};
    return {
      name: `projects/${project}/locations/${location}/repositories/${repository}/dockerImages/${encodeURIComponent(path)}@${digest}`,
      uri: `${registry}${path}@${digest}`,
      tags,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      uploadTime: createTime,
      buildTime: createTime,
      updateTime: createTime,
    };
  });
}
