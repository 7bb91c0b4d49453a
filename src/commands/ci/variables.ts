import packageJson from "../../../package.json" with { type: "json" };
import { defaultImage } from "../../cloud/repository.ts";
import { providerName, type Pipeline } from "./pipeline.ts";
import { shellWord } from "./yaml.ts";

/** The line that runs this very version of the command line, on a machine that has Node and nothing else. */
export function commandLine(...words: readonly string[]): string {
  return ["npx", "--yes", `cloudrun-oauth@${packageJson.version}`, ...words].join(" ");
}

/** What the steps of a pipeline say to this command line. */
export const STEPS = {
  build: ({ folder }: Pipeline) => `build${folder === "" ? "" : ` ${shellWord(folder)}`}`,
  deploy: ({ serviceAccount }: Pipeline) => `deploy${serviceAccount === undefined ? "" : ` --service-account ${serviceAccount}`}`,
  smokeTest: "invoke --wait-for 200 --timeout 5m",
} as const;

/** The image without its tag. */
export function imageOf(pipeline: Pipeline): string {
  return defaultImage(pipeline);
}

/** The variables that every step is told by what it is to do, and as whom. */
export function variablesOf(pipeline: Pipeline): Record<string, string> {
  const { project, region, service, provider, deployer, caller } = pipeline;
  return {
    CLOUDRUN_OAUTH_PROJECT: project,
    CLOUDRUN_OAUTH_REGION: region,
    CLOUDRUN_OAUTH_SERVICE: service,
    CLOUDRUN_OAUTH_VIA: "api",
    ...(provider && {
      CLOUDRUN_OAUTH_WORKLOAD_IDENTITY_PROVIDER: providerName(pipeline, provider),
      // Under this name gcloud's users know it, and gcloud goes by it too.
      CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT: deployer,
    }),
    CLOUDRUN_OAUTH_IMPERSONATE_SERVICE_ACCOUNT: caller,
  };
}
