import { expect, test } from "vitest";
import { parseDockerfile, parseJsonForm } from "../../../../src/emulator/engine/process/dockerfile.ts";

test("instructions have the number of their first line", () => {
  const { instructions } = parseDockerfile("# syntax=docker/dockerfile:1\r\n\r\nFROM node AS build\r\n# comment\r\n  workdir /app\n");
  expect(instructions).toEqual([
    { line: 3, keyword: "FROM", rest: "node AS build", text: "FROM node AS build" },
    { line: 5, keyword: "WORKDIR", rest: "/app", text: "workdir /app" },
  ]);
});

test("continuation lines are joined, without the comments and empty lines between them", () => {
  const { instructions } = parseDockerfile(
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

test("a continuation mark in a comment has no effect", () => {
  expect(parseDockerfile("FROM node\n# see C:\\\nUSER node").instructions).toHaveLength(2);
});

test("the escape directive changes the continuation mark", () => {
  const { instructions, escape } = parseDockerfile("# escape=`\nFROM node\nRUN npm `\n ci\nWORKDIR C:\\\nUSER node");
  expect(escape).toBe("`");
  expect(instructions.map(({ text }) => text)).toEqual(["FROM node", "RUN npm ci", "WORKDIR C:\\", "USER node"]);
});

test("the escape directive counts only at the top of the file", () => {
  expect(parseDockerfile("# a comment\n# escape=`\nFROM node").escape).toBe("\\");
});

test("an unknown escape directive is rejected", () => {
  expect(() => parseDockerfile("# escape=^\nFROM node")).toThrow("expected \\ or `, not ^");
});

test("a byte order mark isn't part of the first instruction", () => {
  expect(parseDockerfile("\uFEFFFROM node").instructions[0]?.keyword).toBe("FROM");
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
  expect(parseJsonForm(text)).toEqual(words);
});
