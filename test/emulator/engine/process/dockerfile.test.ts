import { expect, test } from "vitest";
import { readDockerfile, readJsonForm } from "../../../../src/emulator/engine/process/dockerfile.ts";

test("instructions carry the number of their first line", () => {
  const { instructions } = readDockerfile("# syntax=docker/dockerfile:1\r\n\r\nFROM node AS build\r\n# comment\r\n  workdir /app\n");
  expect(instructions).toEqual([
    { line: 3, keyword: "FROM", rest: "node AS build", text: "FROM node AS build" },
    { line: 5, keyword: "WORKDIR", rest: "/app", text: "workdir /app" },
  ]);
});

test("continuation lines are joined, without the comments and empty lines between them", () => {
  const { instructions } = readDockerfile(
    "FROM node\nRUN npm ci \\\n  # the cache is not needed\n\n  && npm cache clean \\  \n  --force\nUSER node",
  );
  expect(instructions[1]).toEqual({
    line: 2,
    keyword: "RUN",
    rest: "npm ci   && npm cache clean   --force",
    text: "RUN npm ci && npm cache clean --force",
  });
  expect(instructions[2]).toMatchObject({ line: 7, keyword: "USER" });
});

test("a comment's continuation mark continues nothing", () => {
  expect(readDockerfile("FROM node\n# see C:\\\nUSER node").instructions).toHaveLength(2);
});

test("the escape directive changes what continues a line", () => {
  const { instructions, escape } = readDockerfile("# escape=`\nFROM node\nRUN npm `\n ci\nWORKDIR C:\\\nUSER node");
  expect(escape).toBe("`");
  expect(instructions.map(({ text }) => text)).toEqual(["FROM node", "RUN npm ci", "WORKDIR C:\\", "USER node"]);
});

test("the escape directive counts only above everything else", () => {
  expect(readDockerfile("# a comment\n# escape=`\nFROM node").escape).toBe("\\");
});

test("an escape directive that Docker does not know is refused", () => {
  expect(() => readDockerfile("# escape=^\nFROM node")).toThrow("the escape directive is \\ or `, not ^");
});

test("a byte order mark is no part of the first instruction", () => {
  expect(readDockerfile("\uFEFFFROM node").instructions[0]?.keyword).toBe("FROM");
});

test.for([
  ['["node", "server.js"]', ["node", "server.js"]],
  ['["a b", "\\u0041\\"", ""]', ["a b", 'A"', ""]],
  ["[]", []],
  ["['node']", undefined],
  ['["node",]', undefined],
  ['["node", 1]', undefined],
  ["node server.js", undefined],
] as const)("the JSON form of %s is %j", ([text, words]) => {
  expect(readJsonForm(text)).toEqual(words);
});
