import { expect, test } from "vitest";
import { parseDockerIgnore } from "../../../../src/emulator/engine/process/docker-ignore.ts";

test.for([
  ["node_modules", "node_modules", true],
  ["node_modules", "node_modules/a/b.js", true],
  ["node_modules", "lib/node_modules", false],
  ["**/node_modules", "lib/node_modules/a.js", true],
  ["**/node_modules", "node_modules", true],
  ["/dist/", "dist/a.js", true],
  ["./dist", "dist", true],
  ["*.md", "README.md", true],
  ["*.md", "docs/README.md", false],
  ["**/*.md", "docs/README.md", true],
  ["docs/**/secret?.txt", "docs/a/b/secret1.txt", true],
  ["docs/*/x", "docs/a/b/x", false],
  ["*.MD", "README.md", false],
  ["*\n!package.json", "package.json", false],
  ["*\n!package.json", "server.js", true],
  ["src\n!src/keep.js", "src/keep.js", false],
  ["src\n!src/keep.js", "src/other.js", true],
  ["!a.js\n*.js", "a.js", true],
  ["*.js\n!*.js\na.js", "a.js", true],
  ["# a.js\n\n  \n", "a.js", false],
  ["  a.js  ", "a.js", true],
  [".", "a.js", false],
  ["[a-c].txt", "b.txt", true],
  ["**/*-[0-9a-f][0-9a-f].json", "keys/project-0f.json", true],
  [".env*", ".env.local", true],
] as const)("%j and %s: ignored is %s", ([text, path, ignored]) => {
  expect(parseDockerIgnore(text).ignores(path)).toBe(ignored);
});

test("hasExceptions says whether an ignored folder can contain exceptions", () => {
  expect(parseDockerIgnore("*\n!a").hasExceptions).toBe(true);
  expect(parseDockerIgnore("*").hasExceptions).toBe(false);
});
