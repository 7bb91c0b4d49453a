import { defineCommand } from "../../context/define-command.ts";

export const listCommand = defineCommand({
  name: "list",
  group: "In daily operation:",
  summary: "show the services of all regions",
  description:
    "Show a project's services, in all regions, or in that of --region: name, region, state, URL, when it was deployed, by whom.",
  examples: [["cloudrun-oauth list"], ["cloudrun-oauth list --region europe-west1 --json"]],
  load: async () => (await import("./list.ts")).list,
});
