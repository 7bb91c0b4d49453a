import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

export const deployCommand = defineCommand({
  name: "deploy",
  group: "From an empty folder to a private service:",
  summary: "deploy the image, private unless said otherwise",
  description:
    "Deploy an image, or a folder's source, as a service that only its members may call.\n" +
    "Behind -- stand flags of gcloud's; by Google's API, those that most deployments need: --memory, --cpu, --timeout …",
  usage: "[flags] [service] [-- gcloud flags]",
  arguments: [argument("[service]", "the service")],
  flags: [
    flag("--image <reference>", "the image (default: the one that build pushes)"),
    flag("--source <dir>", "build and deploy this folder instead of an image"),
    flag("--tag <name>", "give the revision a URL of its own"),
    flag("--no-traffic", "send it no traffic yet"),
    flag("--env <name=value>", "an environment variable; may be repeated", { isRepeatable: true }),
    flag("--service-account <email>", "the account that the service runs as"),
    flag("--allow-unauthenticated", "let everybody call it"),
  ],
  examples: [
    ["cloudrun-oauth deploy"],
    ["cloudrun-oauth deploy hello --no-traffic --tag next"],
    ["cloudrun-oauth deploy hello -- --memory 1Gi --cpu 2"],
  ],
  passesArguments: true,
  load: async () => (await import("./deploy.ts")).deploy,
});
