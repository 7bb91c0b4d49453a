import type { Pipeline } from "./pipeline.ts";
import { commandLine, imageOf, STEPS, variablesOf } from "./variables.ts";
import { yamlLine, yamlText } from "./yaml.ts";

/** A build's configuration of Cloud Build: https://cloud.google.com/build/docs/build-config-file-schema */
export function writeCloudBuildConfig(pipeline: Pipeline): string {
  const { service, project, deployer, folder } = pipeline;
  const image = `${imageOf(pipeline)}:$BUILD_ID`;
  // A build's own account is what the metadata server gives tokens of; where that is need not be found out.
  const variables = { ...variablesOf(pipeline), GCE_METADATA_HOST: "metadata.google.internal" };
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
