import { defaultImage } from "../../cloud/repository.ts";
import type { Pipeline } from "./pipeline.ts";
import { commandLine, STEPS, stepVariables } from "./step-commands.ts";
import { yamlLine, yamlText } from "./yaml.ts";

/** A build configuration for Cloud Build: https://cloud.google.com/build/docs/build-config-file-schema */
export function writeCloudBuildConfig(pipeline: Pipeline): string {
  const { service, project, deployer, folder } = pipeline;
  const image = `${defaultImage(pipeline)}:$BUILD_ID`;
  // The metadata server issues tokens of the build's account. With its host set, no step has to search for it.
  const variables = { ...stepVariables(pipeline), GCE_METADATA_HOST: "metadata.google.internal" };
  const env = Object.entries(variables).map(([name, value]) => `    - ${yamlText(`${name}=${value}`)}\n`);
  return `# Written by: cloudrun-oauth ci cloudbuild
# Builds and deploys ${service}, and calls it. No key is stored anywhere: the build runs as the account that deploys. What that account may
# do: cloudrun-oauth ci cloudbuild --apply. By hand it runs with: gcloud builds submit --config cloudbuild.yaml --project ${project}
steps:
  - id: build
    name: gcr.io/cloud-builders/docker
    args: [build, --tag, ${JSON.stringify(image)}, ${folder === "" ? "." : JSON.stringify(folder)}]
  - id: push
    name: gcr.io/cloud-builders/docker
    args: [push, ${JSON.stringify(image)}]
  - id: deploy
    name: node:22-slim
    env: [${JSON.stringify(`CLOUDRUN_OAUTH_IMAGE=${image}`)}]
    script: ${yamlLine(commandLine(STEPS.deploy(pipeline)))}
  - id: smoke-test
    name: node:22-slim
    script: ${yamlLine(commandLine(STEPS.smokeTest))}

serviceAccount: projects/${project}/serviceAccounts/${deployer}
timeout: 1800s
options:
  # An account of one's own has no bucket for logs.
  logging: CLOUD_LOGGING_ONLY
  env:
${env.join("")}`;
}
