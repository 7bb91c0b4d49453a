import { buildOperation } from "../builds/build-operation.ts";
import type { Builds } from "../builds/builds.ts";
import type { ApiRequest } from "../server/api-request.ts";
import { invalidArgument } from "../server/errors.ts";
import type { Api } from "../server/router.ts";

/** https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.builds, which `gcloud run deploy --source` uses */
export function createRunBuildsApi({ builds }: { readonly builds: Builds }): Api {
  const submit = async (request: ApiRequest): Promise<object> => {
    const { storageSource, imageUri, dockerBuild, buildpackBuild, tags, serviceAccount } = await request.body.json();
    if (typeof imageUri !== "string") throw invalidArgument("image_uri: must be set");
    if (!dockerBuild === !buildpackBuild) throw invalidArgument("build_type: either docker_build or buildpack_build must be set");
    const build = builds.create(request.param("project"), request.param("location"), {
      source: { storageSource },
      steps: [dockerBuild ? dockerStep(imageUri) : packStep(imageUri, buildpackBuild as BuildpacksBuild)],
      images: [imageUri],
      tags,
      serviceAccount,
    });
    return { buildOperation: buildOperation(build) };
  };
  return {
    hosts: ["run.googleapis.com"],
    routes: {
      "POST /v2/projects/{project}/locations/{location}/builds:submit": { permission: "cloudbuild.builds.create", handle: submit },
    },
  };
}

interface BuildpacksBuild {
  readonly functionTarget?: string;
  readonly runtime?: string;
  readonly environmentVariables?: Readonly<Record<string, string>>;
}

function dockerStep(imageUri: string): object {
  return { name: "gcr.io/cloud-builders/docker", args: ["build", "--network", "cloudbuild", "-t", imageUri, "."] };
}

// Unlike Cloud Run: a requested base image is ignored, and no base image is updated automatically.
function packStep(imageUri: string, { functionTarget, runtime, environmentVariables }: BuildpacksBuild): object {
  const env = {
    ...environmentVariables,
    ...(runtime && { GOOGLE_RUNTIME: runtime }),
    ...(functionTarget && { GOOGLE_FUNCTION_TARGET: functionTarget }),
  };
  const flags = Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${String(value).replaceAll("$", "$$$$")}`]);
  return {
    name: "gcr.io/k8s-skaffold/pack",
    entrypoint: "pack",
    args: ["build", imageUri, "--builder", "gcr.io/buildpacks/builder:latest", "--network", "cloudbuild", ...flags],
  };
}
