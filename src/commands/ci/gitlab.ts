import { defaultImage } from "../../cloud/repository.ts";
import { providerName, type Pipeline } from "./pipeline.ts";
import { commandLine, STEPS, stepVariables } from "./step-commands.ts";
import { yamlLine, yamlText, yamlVariables } from "./yaml.ts";

/** The file that passes a job's outputs to later jobs: https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv */
const OUTPUTS = "cloudrun-oauth.env";

/** A pipeline for GitLab CI/CD: https://docs.gitlab.com/ci/yaml/ */
export function writeGitLabPipeline(pipeline: Pipeline): string {
  const { service, branch, repository, provider } = pipeline;
  const tagged = `--image "$IMAGE:$CI_COMMIT_SHA"`;
  return `# Written by: cloudrun-oauth ci gitlab
# Builds and deploys ${service}, and calls it. No key is stored anywhere: GitLab vouches for the job, and Google takes its word for the
# branch ${branch} of ${repository} alone. What Google has to know for that: cloudrun-oauth ci gitlab --apply
stages: [deploy, test]

variables:
${yamlVariables({ ...stepVariables(pipeline), CLOUDRUN_OAUTH_OUTPUTS: OUTPUTS, IMAGE: defaultImage(pipeline) }, "  ")}
.cloud-run:
  image: node:22-slim
  timeout: 30m
  rules:
    - if: '$CI_COMMIT_BRANCH == "${branch}"'
  # GitLab's word for the job.
  id_tokens:
    GITLAB_OIDC_TOKEN:
      aud: https://iam.googleapis.com/${provider ? providerName(pipeline, provider) : ""}

deploy:
  extends: .cloud-run
  stage: deploy
  resource_group: ${yamlText(`deploy-${service}`)}
  script:
    - ${yamlLine(commandLine(STEPS.build(pipeline), tagged))}
    - ${yamlLine(commandLine(STEPS.deploy(pipeline), tagged))}
  artifacts:
    reports:
      dotenv: ${OUTPUTS}
  environment:
    name: production
    url: $CLOUDRUN_OAUTH_URL

smoke-test:
  extends: .cloud-run
  stage: test
  # It brings the URL along.
  needs: [deploy]
  script:
    - ${yamlLine(commandLine(STEPS.smokeTest))}
`;
}
