import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { assertNoSecretsIn } from "./secret-scan.ts";

/** Fails where anything in the data directory is half-written, belongs to nothing, can be read by others, or is a secret that nobody asked for. */
export async function assertTidy(directory: string): Promise<void> {
  // Until all processes of the killed emulator are gone, one of them may write there.
  await expect.poll(() => readdirSync(join(directory, "builds")), { timeout: 10_000 }).toEqual([]);
  const names = readdirSync(directory, { recursive: true }) as string[];
  expect(names.filter((name) => /\.(new|partial|tmp)$/.test(name))).toEqual([]);
  const state = new Map<string, { collection: string; value?: { file?: string; digest: string } }>();
  for (const line of readFileSync(join(directory, "state.jsonl"), "utf8").trimEnd().split("\n")) {
    for (const change of JSON.parse(line)) state.set(`${change.collection} ${change.key}`, change);
  }
  const filesOf = (wanted: string): string[] =>
    [...state.values()].flatMap(({ collection, value }) => (collection === wanted && value ? [value.file ?? value.digest] : []));
  const objects = filesOf("objects");
  const files = readdirSync(join(directory, "objects"));
  expect(files).toEqual(expect.arrayContaining(objects));
  // An upload has no file before its first byte.
  expect([...objects, ...filesOf("uploads")]).toEqual(expect.arrayContaining(files));
  const images = readdirSync(join(directory, "images")).map((name) => `sha256:${name}`);
  expect(images.toSorted()).toEqual(filesOf("images").toSorted());

  const secrets = [
    ".",
    "state.jsonl",
    "keys",
    ...(readdirSync(join(directory, "keys"), { recursive: true }) as string[]).map((name) => `keys/${name}`),
  ];
  expect(secrets.filter((name) => (statSync(join(directory, name)).mode & 0o077) !== 0)).toEqual([]);
  assertNoSecretsIn(directory, { keys: ["keys"] });
}
