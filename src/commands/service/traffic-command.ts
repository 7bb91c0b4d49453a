import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag } from "../../context/flag.ts";

export const trafficCommand = defineCommand({
  name: "traffic",
  group: "In daily operation:",
  summary: "divide the traffic between revisions, or show who gets what",
  description:
    "Divide a service's traffic between its revisions, and give revisions URLs of their own by tags. Without an option: show who gets what.\n" +
    "LATEST is whichever revision is the latest that is ready. What is missing to 100 stays with the one revision that serves beside those named.",
  arguments: [argument("[service]", "the service")],
  flags: [
    flag("--to <revision=percent>", "who gets how much; a revision alone gets all; may be repeated", { isRepeatable: true }),
    flag("--tag <tag=revision>", "give a revision, or LATEST, a URL of its own; may be repeated", { isRepeatable: true }),
    flag("--remove-tag <tag>", "take a tag away; may be repeated", { isRepeatable: true }),
  ],
  examples: [
    ["cloudrun-oauth traffic hello"],
    ["cloudrun-oauth traffic hello --to hello-00002-abc=10", "the rest stays where it is"],
    ["cloudrun-oauth traffic hello --to hello-00001-xyz=10 --to LATEST=90"],
    ["cloudrun-oauth traffic hello --to LATEST", "all to the latest, now and from now on"],
    ["cloudrun-oauth traffic hello --tag next=hello-00002-abc --remove-tag old"],
  ],
  load: async () => (await import("./traffic.ts")).traffic,
});
