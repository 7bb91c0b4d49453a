import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";

export const deleteCommand = defineCommand({
  name: "delete",
  summary: "Delete a service and all its revisions",
  description:
    "Deletes a service with all its revisions and its IAM policy. Container images are kept.\n" +
    "Can't be undone. Asks for the service's name; use --yes in scripts.",
  arguments: [argument("[service]", "Service name")],
  examples: [["cloudrun-oauth delete hello"], ["cloudrun-oauth delete hello --region europe-west1 --yes"]],
  load: async () => (await import("./delete.ts")).deleteService,
});
