import { Argument, type Command } from "commander";
import { run, withExamples, type Execute } from "../../context/define-command.ts";

/** Settings that stay. */
export function addConfigCommands(program: Command, execute: Execute): void {
  program.commandsGroup("Settings:");
  const config = program
    .command("config")
    .summary("settings that stay, and where each came from")
    .description(
      "Settings in profiles. A flag goes before the environment, that before cloudrun-oauth.json, that before the profile, that before gcloud's own.",
    )
    .helpCommand("help [command]", "print a command's help");

  withExamples(
    config
      .command("get")
      .summary("print a setting")
      .description("Print the value of a setting, wherever it came from.")
      .argument("<name>", "the setting")
      .action(run(execute, async () => (await import("./config.ts")).configGet)),
    [["cloudrun-oauth config get project"]],
  );
  withExamples(
    config
      .command("set")
      .summary("keep a setting in the profile")
      .description("Keep a setting in the profile in use.")
      .argument("<name>", "the setting")
      .argument("<value>", "its value")
      .action(run(execute, async () => (await import("./config.ts")).configSet)),
    [["cloudrun-oauth config set region europe-west1"]],
  );
  withExamples(
    config
      .command("unset")
      .summary("remove a setting from the profile")
      .description("Remove a setting from the profile in use.")
      .argument("<name>", "the setting")
      .action(run(execute, async () => (await import("./config.ts")).configUnset)),
    [["cloudrun-oauth config unset region"]],
  );
  withExamples(
    config
      .command("list")
      .summary("show all settings, and where each came from")
      .description("Show all settings that have a value, and where each came from.")
      .action(run(execute, async () => (await import("./config.ts")).configList)),
    [["cloudrun-oauth config list"]],
  );
  withExamples(
    config
      .command("profiles")
      .summary("show the profiles, and what each holds")
      .description("Show the profiles and what each holds; * marks the one in use.")
      .action(run(execute, async () => (await import("./config.ts")).configProfiles)),
    [["cloudrun-oauth config profiles"]],
  );
  withExamples(
    config
      .command("use")
      .summary("change to another profile")
      .description("Change to another profile, which is made where it is missing.")
      .argument("<profile>", "the profile")
      .action(run(execute, async () => (await import("./config.ts")).configUse)),
    [["cloudrun-oauth config use work"]],
  );
  withExamples(
    config
      .command("delete")
      .summary("delete a profile")
      .description("Delete a profile with its settings. Where it is the one in use, default is from then on.")
      .argument("<profile>", "the profile")
      .action(run(execute, async () => (await import("./config.ts")).configDelete)),
    [["cloudrun-oauth config delete work"]],
  );
  withExamples(
    config
      .command("schema")
      .summary("print the JSON schema of cloudrun-oauth.json")
      .description("Print the JSON schema of cloudrun-oauth.json, for editors without a network.")
      .action(run(execute, async () => (await import("./config.ts")).configSchema)),
    [["cloudrun-oauth config schema > cloudrun-oauth.schema.json"]],
  );

  withExamples(
    program
      .command("completion")
      .summary("print a script that completes words in a shell")
      .description(
        "Print a script that completes commands, flags and their values in a shell: services, regions and profiles too, as\nthey are at that moment.",
      )
      .addArgument(new Argument("<shell>", "bash, zsh or fish").choices(["bash", "zsh", "fish"]))
      .action(run(execute, async () => (await import("./completion.ts")).completion)),
    [
      ["source <(cloudrun-oauth completion bash)", "in ~/.bashrc"],
      ["source <(cloudrun-oauth completion zsh)", "in ~/.zshrc, after compinit"],
      ["cloudrun-oauth completion fish | source", "in ~/.config/fish/config.fish"],
    ],
  );
}
