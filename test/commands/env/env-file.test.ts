import { join } from "node:path";
import { expect, test } from "vitest";
import { readEnvFile } from "../../../src/commands/env/env-file.ts";
import { folder } from "../../helpers/command-line.ts";

const read = (text: string) => readEnvFile(join(folder({ ".env": text }), ".env"));

test.for<[text: string, variables: Readonly<Record<string, string>>]>([
  ["A=\nB=2\n", { A: "", B: "2" }],
  ["A= \nB=2", { A: "", B: "2" }],
  ["A =\t\r\nB=2\r\n", { A: "", B: "2" }],
  ["export A=\nexport B=2", { A: "", B: "2" }],
  ["B=2\nexport A= ", { A: "", B: "2" }],
  ['KEY="-----BEGIN\nAbc=\n-----END"\nB="x=  y"', { B: "x=  y", KEY: "-----BEGIN\nAbc=\n-----END" }],
])("%j is read alike by every Node", async ([text, variables]) => {
  expect(await read(text)).toEqual(variables);
});
