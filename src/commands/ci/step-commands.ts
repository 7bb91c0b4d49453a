import packageJson from "../../../package.json" with { type: "json" };
import { quoteCommand } from "../../context/format-command.ts";
import { providerName, type Pipeline } from "./pipeline.ts";

/** A line that runs this version of cloudrun-oauth on a machine that has only Node. */
export function commandLine(...words: readonly string[]): string {
  return ["npx", "--yes", `cloudrun-oauth@${packageJson.version}`, ...words].join(" ");
}

export const STEPS = {
  build: ({ folder }: Pipeline) => `build${folder === "" ? "" : ` ${quoteCommand([folder])}`}`,
  deploy: ({ serviceAccount }: Pipeline) => `deploy${serviceAccount === undefined ? "" : ` --service-account ${serviceAccount}`}`,
  smokeTest: "invoke --wait-for 200 --timeout 5m",
} as const;

export function stepVariables(pipeline: Pipeline): Record<string, string> {
  const { project, region, service, provider, deployer, caller } = pipeline;
  return {
    CLOUDRUN_OAUTH_PROJECT: project,
    CLOUDRUN_OAUTH_REGION: region,
    CLOUDRUN_OAUTH_SERVICE: service,
    CLOUDRUN_OAUTH_VIA: "api",
    ...(provider && {
      CLOUDRUN_OAUTH_WORKLOAD_IDENTITY_PROVIDER: providerName(pipeline, provider),
      // gcloud reads this variable, too.
      CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT: deployer,
    }),
    CLOUDRUN_OAUTH_IMPERSONATE_SERVICE_ACCOUNT: caller,
  };
}
