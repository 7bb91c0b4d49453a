import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

export const trafficCommand = defineCommand({
  name: "traffic",
  summary: "Show or split traffic between revisions",
  description:
    "Splits a service's traffic between revisions and sets traffic tags. Without flags, shows the " +
    "current split. LATEST refers to the latest ready revision. Any remaining percentage stays with " +
    "the current revision.",
  arguments: [argument("[service]", "Service name")],
  flags: [
    flag("--to <revision=percent>", "Revision and percentage, or a revision for 100%. Repeatable.", { isRepeatable: true }),
    flag("--tag <tag=revision>", "Traffic tag for a revision or LATEST. Repeatable.", { isRepeatable: true }),
    flag("--remove-tag <tag>", "Traffic tag to remove. Repeatable.", { isRepeatable: true }),
  ],
  examples: [
    ["cloudrun-oauth traffic hello"],
    ["cloudrun-oauth traffic hello --to hello-00002-abc=10"],
    ["cloudrun-oauth traffic hello --to hello-00001-xyz=10 --to LATEST=90"],
    ["cloudrun-oauth traffic hello --to LATEST"],
    ["cloudrun-oauth traffic hello --tag next=hello-00002-abc --remove-tag old"],
  ],
  load: async () => (await import("./traffic.ts")).traffic,
});
