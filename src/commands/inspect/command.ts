import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag, settingFlag } from "../../context/flag.ts";

export const inspectCommand = defineCommand({
  name: "inspect",
  group: "Authenticated calls:",
  summary: "Decode and verify a token, or explain a principal's access",
  description:
    "Say what a token of Google's is, what it is good for, and whether it is good: signature, audience, times. It is never printed.\n" +
    "With --why: say why a member may, or may not, call a service.\n" +
    "The exit code is 0 for a token that is good, 3 for one that is not.",
  arguments: [
    argument(
      "[token]",
      "- for stdin, or the token, which others on this machine then see in the list of processes\n(default: what `token` prints); with --why, the service",
    ),
  ],
  flags: [
    flag("--audience <audience>", "whom it has to be for (default: the service's URL, where one is set)"),
    settingFlag("--credentials <file>", "a service account's key file, where no token is given"),
    flag("--why", "ask Google's policy troubleshooter why a member may, or may not, call a service"),
    settingFlag("--member <member>", "with --why, who: an e-mail address, or user:…, serviceAccount:…, principal:…"),
  ],
  examples: [
    ["cloudrun-oauth inspect"],
    ["gcloud auth print-identity-token | cloudrun-oauth inspect -"],
    ["cloudrun-oauth inspect hello --why --member caller@my-project.iam.gserviceaccount.com"],
  ],
  load: async () => (await import("./inspect.ts")).inspect,
});
