import type { Command, Help, Option } from "commander";
import type { Example } from "../context/define-command.ts";

type Item = readonly [term: string, description: string];
type Section = readonly [title: string, items: readonly Item[]];

/** A longer term gets a line of its own. */
const MAX_TERM_WIDTH = 30;

/** The global flags in the root's help; `help --all` shows all. */
const COMMON_FLAGS: readonly string[] = ["project", "region", "emulator"];

/** The help of a command, without its examples. With `showGlobalOptions`, it has all global flags, and the root's has subcommands too. */
export function formatHelp(command: Command, helper: Help): string {
  const { helpWidth: width = 80, showGlobalOptions: isAll } = helper;
  const path = pathOf(command);
  const root = rootOf(command);
  const isRoot = command === root;
  const commands = isRoot && isAll ? root.commands.flatMap(withSubcommands) : command.commands;
  const flags = isRoot && !isAll ? root.options.filter((option) => COMMON_FLAGS.includes(option.attributeName())) : command.options;
  const flagTitle = isRoot ? `Global flags${isAll ? "" : ` (all: ${path} help --all)`}` : "Flags";
  const describeCommand = (child: Command): Item => [pathOf(child).slice(path.length + 1), child.summary()];
  const hasShortFlag = [...flags, ...(isAll ? root.options : [])].some(({ short }) => short);
  // Long names begin in the same column, whether a short one precedes them or not.
  const describeFlag = (option: Option): Item => [
    hasShortFlag && !option.short ? `    ${option.flags}` : option.flags,
    helper.optionDescription(option),
  ];
  const groups = <T extends Command | Option>(items: readonly T[], groupOf: (item: T) => string, describe: (item: T) => Item): Section[] =>
    [...helper.groupItems([...items], [...items], groupOf)].map(([title, group]) => [title, group.map(describe)]);
  return [
    helper.boxWrap(command.description(), width),
    "",
    `Usage: ${path} ${usageOf(command)}`,
    "",
    ...formatSections(groups(commands, isRoot ? groupOfCommand : () => "Commands", describeCommand), helper, width),
    ...formatSections(
      [
        ["Arguments", command.registeredArguments.map((argument) => [argument.name(), helper.argumentDescription(argument)])],
        ...groups(
          flags.filter(({ hidden }) => !hidden),
          (option) => option.helpGroupHeading ?? flagTitle,
          describeFlag,
        ),
        ["Global flags", isAll && !isRoot ? root.options.map(describeFlag) : []],
      ],
      helper,
      width,
    ),
    "",
  ].join("\n");
}

/** The examples of a command's help: comments follow their commands on the line if all fit the width; otherwise they precede them. */
export function formatExamples(examples: readonly Example[], width: number): string {
  const column = Math.max(...examples.map(([line]) => line.length)) + 2;
  const fits = examples.every(([, meaning = ""]) => column + meaning.length + 4 <= width);
  const lines = examples.flatMap(([line, meaning]) => {
    const comment = meaning && `# ${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}`;
    if (comment && fits) return [line.padEnd(column) + comment];
    return [...(comment ? [comment] : []), ...breakCommand(line, width - 4)];
  });
  return `Examples:\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

/** The command line on several lines that a shell reads as one. */
function breakCommand(command: string, width: number): string[] {
  const lines = [""];
  for (const [word] of command.matchAll(/(?:'[^']*'|"[^"]*"|\S)+/g)) {
    const line = lines.at(-1) ?? "";
    if (line && line.length + word.length + 1 > width) lines.push(`    ${word}`);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.map((line, index) => (index < lines.length - 1 ? `${line} \\` : line));
}

/** Lists that share the column of their descriptions. */
function formatSections(sections: readonly Section[], helper: Help, width: number): string[] {
  const lengths = sections.flatMap(([, items]) => items.map(([term]) => term.length));
  const column = Math.max(0, ...lengths.filter((length) => length <= MAX_TERM_WIDTH)) + 4;
  const newLine = `\n${" ".repeat(column)}`;
  const formatItem = ([term, description]: Item) =>
    `  ${term.length > MAX_TERM_WIDTH ? term + newLine : term.padEnd(column - 2)}${helper.boxWrap(description, width - column).replaceAll("\n", newLine)}`;
  return sections.filter(([, items]) => items.length > 0).flatMap(([title, items]) => [`${title}:`, ...items.map(formatItem), ""]);
}

/** The command's name after the names of the commands above it, as it is typed. */
export function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

function usageOf(command: Command): string {
  if (command.commands.length > 0 && command.registeredArguments.length === 0) return "<command> [flags]";
  return command.usage().replace("[options]", "[flags]").replace(" [command]", "");
}

/** The program that the command belongs to. */
export function rootOf(command: Command): Command {
  return command.parent ? rootOf(command.parent) : command;
}

function groupOfCommand(command: Command): string {
  return command.parent?.parent ? groupOfCommand(command.parent) : command.helpGroup();
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** The number of columns for the help: those of the terminal, up to 100. */
export function widthOf(command: Command): number {
  return command.configureOutput().getOutHelpWidth?.() ?? 80;
}
