import { expect, test } from "vitest";
import { expand, splitCommands, splitWords } from "../../../../src/emulator/engine/process/shell-words.ts";

const VARIABLES: Readonly<Record<string, string>> = { NAME: "world", EMPTY: "", TWO: "a b" };
const lookup = (name: string): string | undefined => VARIABLES[name];
const scope = { escape: "\\", lookup };

test.for([
  ["$NAME", ["world"]],
  ["${NAME}s", ["worlds"]],
  ["hello-$NAME.txt", ["hello-world.txt"]],
  ["${NAME:-default}", ["world"]],
  ["${EMPTY:-default}", ["default"]],
  ["${EMPTY-default}", [""]],
  ["${NONE:-default}", ["default"]],
  ["${NONE-default}", ["default"]],
  ["${NONE:-${NAME}}", ["world"]],
  ["${NONE:-a b}", ["a b"]],
  ["${NAME:+set}", ["set"]],
  ["${EMPTY:+set}", [""]],
  ["${EMPTY+set}", ["set"]],
  ["${NONE:+set}", [""]],
  ["$NONE", [""]],
  ["costs 5$", ["costs", "5$"]],
  ["\\$NAME", ["$NAME"]],
  ["'$NAME'", ["$NAME"]],
  ['"$NAME it\'s"', ["world it's"]],
  ['"a \\"b\\" \\n"', ['a "b" \\n']],
  ["a\\ b", ["a b"]],
  ["$TWO", ["a b"]],
  ['a""b ""', ["ab", ""]],
  ["  a \t b  ", ["a", "b"]],
  ["a=`b`", ["a=`b`"]],
] as const)("%s is split into %j", ([text, words]) => {
  expect(splitWords(text, scope)).toEqual(words);
});

test("the escape directive's mark replaces the backslash", () => {
  expect(splitWords("c:\\dir `$NAME", { escape: "`", lookup })).toEqual(["c:\\dir", "$NAME"]);
});

test("text keeps its blanks", () => {
  expect(expand("a  $NAME  'b c'", scope)).toBe("a  world  b c");
});

test.for([
  [
    "npm ci --omit=dev && npm cache clean --force",
    [
      ["npm", "ci", "--omit=dev"],
      ["npm", "cache", "clean", "--force"],
    ],
  ],
  [
    "npm ci&&npm prune",
    [
      ["npm", "ci"],
      ["npm", "prune"],
    ],
  ],
  ["pip install 'flask>=2' \"x<3\"", [["pip", "install", "flask>=2", "x<3"]]],
  ['npm $TWO "$TWO" $EMPTY', [["npm", "a", "b", "a b"]]],
] as const)("the command line %s is split into %j", ([text, commands]) => {
  expect(splitCommands(text, lookup)).toEqual(commands);
});

test.for(["a | b", "a; b", "a & b", "a > b", "a < b", "$(a)", "`a`", '"`a`"', '"$(a)"', "a || b", "(a)", "ls *.js", "a # comment", "~/a"])(
  "the command line %s needs a shell",
  (text) => {
    expect(() => splitCommands(text, lookup)).toThrow("needs a shell");
  },
);

test.for([
  ["'a", "A single quote is not closed."],
  ['"a', "A double quote is not closed."],
  ["${NAME", "A `${` is not closed."],
  ["${NAME%x}", "${NAME%x} isn't supported: use $X, ${X}, ${X:-default}, or ${X:+alternative}"],
] as const)("%s is rejected", ([text, message]) => {
  expect(() => splitWords(text, scope)).toThrow(message);
});
