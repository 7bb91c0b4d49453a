import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";

export const deleteCommand = defineCommand({
  name: "delete",
  group: "In daily operation:",
  summary: "delete a service with all its revisions",
  description:
    "Delete a service, with all its revisions, whether they serve traffic or not, and its policy. Its images stay in the registry.\n" +
    "There is no undo. It shows what goes and asks; where nobody can be asked, it needs --yes. The exit code is 4 where there is no such service.",
  arguments: [argument("[service]", "the service")],
  examples: [["cloudrun-oauth delete hello"], ["cloudrun-oauth delete hello --region europe-west1 --yes"]],
  load: async () => (await import("./delete.ts")).deleteService,
});
