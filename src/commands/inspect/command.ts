import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag, settingFlag } from "../../context/flag.ts";

export const inspectCommand = defineCommand({
  name: "inspect",
  summary: "Decode and verify a token, or explain a principal's access",
  description:
    "Decodes a Google token and verifies its signature, audience, and expiry. The token itself is never printed.\n" +
    "With --why: explains why a principal can or can't invoke a service.\n" +
    "Exits with 0 if the token is valid, and with 3 if it isn't.",
  arguments: [argument("[token]", "Token, - for stdin, or a service whose token is fetched\n(default: the service in the settings)")],
  flags: [
    flag("--audience <audience>", "Expected audience (default: service URL)"),
    settingFlag("--credentials <file>", "Service account key file or other credential file"),
    flag("--why", "Explain a principal's access with Policy Troubleshooter"),
    settingFlag("--member <member>", "Principal to explain: an email address, user:…, or principal:…"),
  ],
  examples: [
    ["cloudrun-oauth inspect hello"],
    ["gcloud auth print-identity-token | cloudrun-oauth inspect -", "keeps the token out of the process list"],
    ["cloudrun-oauth inspect hello --why --member caller@my-project.iam.gserviceaccount.com"],
  ],
  load: async () => (await import("./inspect.ts")).inspect,
});
