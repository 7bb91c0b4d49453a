import { defaultImage } from "../../cloud/repository.ts";
import type { Pipeline } from "./pipeline.ts";
import { commandLine, STEPS, stepVariables } from "./step-commands.ts";
import { yamlLine, yamlText, yamlVariables } from "./yaml.ts";

/** A workflow for GitHub Actions: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax */
export function writeGitHubWorkflow(pipeline: Pipeline): string {
  const { service, branch, repository } = pipeline;
  const tagged = `--image "$IMAGE:$GITHUB_SHA"`;
  return `# Written by: cloudrun-oauth ci github
# Builds and deploys ${service}, and calls it. No key is stored anywhere: GitHub vouches for the run, and Google takes its word for the
# branch ${branch} of ${repository} alone. What Google has to know for that: cloudrun-oauth ci github --apply
name: Deploy ${service}

on:
  push:
    branches: [${JSON.stringify(branch)}]
  workflow_dispatch:

permissions:
  contents: read
  # Lets the run have GitHub's word.
  id-token: write

concurrency:
  group: ${yamlText(`deploy-${service}`)}
  cancel-in-progress: false

env:
${yamlVariables({ ...stepVariables(pipeline), IMAGE: defaultImage(pipeline) }, "  ")}
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    outputs:
      url: \${{ steps.deploy.outputs.url }}
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          persist-credentials: false
      - name: Build
        run: ${yamlLine(commandLine(STEPS.build(pipeline), tagged))}
      - name: Deploy
        id: deploy
        run: ${yamlLine(commandLine(STEPS.deploy(pipeline), tagged))}
      - name: Smoke test
        env:
          CLOUDRUN_OAUTH_URL: \${{ steps.deploy.outputs.url }}
        run: ${yamlLine(commandLine(STEPS.smokeTest))}
`;
}
