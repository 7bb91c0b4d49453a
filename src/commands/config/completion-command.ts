import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";

export const completionCommand = defineCommand({
  name: "completion",
  group: "Settings:",
  summary: "print a script that completes words in a shell",
  description:
    "Print a script that completes commands, flags and their values in a shell: services, regions and profiles too, as\nthey are at that moment.",
  arguments: [argument("<shell>", "bash, zsh or fish", { choices: ["bash", "zsh", "fish"] })],
  examples: [
    ["source <(cloudrun-oauth completion bash)", "in ~/.bashrc"],
    ["source <(cloudrun-oauth completion zsh)", "in ~/.zshrc, after compinit"],
    ["cloudrun-oauth completion fish | source", "in ~/.config/fish/config.fish"],
  ],
  load: async () => (await import("./completion.ts")).completion,
});
