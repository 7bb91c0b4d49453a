import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { settingFlag } from "../../context/flag.ts";

export const buildCommand = defineCommand({
  name: "build",
  summary: "Build a container image with Cloud Build",
  description:
    "Builds a directory's Dockerfile with Cloud Build and pushes the image.\nCreates the Artifact Registry repository if it doesn't exist.\n\n" +
    "Flags after -- are passed to `gcloud builds submit`. With --via api, only --timeout, --machine-type, and --disk-size are supported.",
  usage: "[flags] [dir] [-- gcloud flags]",
  arguments: [argument("[dir]", "Directory with the Dockerfile (default: current directory)")],
  flags: [settingFlag("--image <reference>", "Image to push (default: cloudrun-oauth/SERVICE in the region)")],
  examples: [
    ["cloudrun-oauth build"],
    ["cloudrun-oauth build ./hello --image europe-west1-docker.pkg.dev/my-project/apps/hello:v2"],
    ["cloudrun-oauth build -- --timeout 30m --machine-type e2-highcpu-8"],
  ],
  passesArguments: true,
  load: async () => (await import("./build.ts")).build,
});
