import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { settingFlag } from "../../context/flag.ts";

export const buildCommand = defineCommand({
  name: "build",
  group: "From an empty folder to a private service:",
  summary: "build the image with Cloud Build",
  description:
    "Build the folder's Dockerfile with Cloud Build, and push the image.\nThe repository is made where it is missing.\n" +
    "Behind -- stand flags of gcloud builds submit; by Google's API: --timeout, --machine-type, --disk-size.",
  usage: "[flags] [dir] [-- gcloud flags]",
  arguments: [argument("[dir]", "the folder with the Dockerfile (default: this one)")],
  flags: [settingFlag("--image <reference>", "Image to push (default: SERVICE in the repository cloudrun-oauth)")],
  examples: [
    ["cloudrun-oauth build"],
    ["cloudrun-oauth build ./hello --image europe-west1-docker.pkg.dev/my-project/apps/hello:v2"],
    ["cloudrun-oauth build -- --timeout 30m --machine-type e2-highcpu-8"],
  ],
  passesArguments: true,
  load: async () => (await import("./build.ts")).build,
});
