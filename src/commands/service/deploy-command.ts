import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

export const deployCommand = defineCommand({
  name: "deploy",
  summary: "Deploy a service (private by default)",
  description:
    "Deploys a container image or a source directory as a private service.\n\n" +
    "Flags after -- are passed to `gcloud run deploy`. With --via api, a subset is supported: --memory, --cpu, --timeout, --concurrency, --min-instances, and similar.",
  usage: "[flags] [service] [-- gcloud flags]",
  arguments: [argument("[service]", "Service name")],
  flags: [
    flag("--image <reference>", "Container image (default: the image that build pushes)"),
    flag("--source <dir>", "Source directory to build and deploy instead of an image"),
    flag("--tag <name>", "Traffic tag for the new revision"),
    flag("--no-traffic", "Deploy without sending traffic to the revision"),
    flag("--env <name=value>", "Environment variable. Repeatable.", { isRepeatable: true }),
    flag("--service-account <email>", "Service account that runs the service"),
    flag("--allow-unauthenticated", "Allow unauthenticated access (asks for confirmation)"),
  ],
  examples: [
    ["cloudrun-oauth deploy"],
    ["cloudrun-oauth deploy hello --no-traffic --tag next"],
    ["cloudrun-oauth deploy hello -- --memory 1Gi --cpu 2"],
  ],
  passesArguments: true,
  load: async () => (await import("./deploy.ts")).deploy,
});
