import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";

export const completionCommand = defineCommand({
  name: "completion",
  summary: "Generate a shell completion script",
  description: "Prints a script that completes commands, flags, and values such as services, regions, and profiles in a shell.",
  arguments: [argument("<shell>", "bash, zsh, or fish", { choices: ["bash", "zsh", "fish"] })],
  examples: [
    ["source <(cloudrun-oauth completion bash)", "in ~/.bashrc"],
    ["source <(cloudrun-oauth completion zsh)", "in ~/.zshrc, after compinit"],
    ["cloudrun-oauth completion fish | source", "in ~/.config/fish/config.fish"],
  ],
  load: async () => (await import("./completion.ts")).completion,
});
