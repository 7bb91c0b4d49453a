import packageJson from "../../../package.json" with { type: "json" };
import { defineCommand } from "../../context/define-command.ts";

export const versionCommand = defineCommand({
  name: "version",
  summary: "Print the version",
  description: "Prints the version of cloudrun-oauth.",
  examples: [["cloudrun-oauth version"]],
  load:
    async () =>
    async ({ terminal }) => {
      const { version } = packageJson;
      if (terminal.json) terminal.printJson({ version });
      else terminal.print(`${version}\n`);
    },
});
