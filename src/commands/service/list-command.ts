import { defineCommand } from "../../context/define-command.ts";

export const listCommand = defineCommand({
  name: "list",
  summary: "List services in all regions",
  description: "Lists a project's services in all regions, or in the region set with --region.",
  examples: [["cloudrun-oauth list"], ["cloudrun-oauth list --region europe-west1 --json"]],
  load: async () => (await import("./list.ts")).list,
});
