import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { openOutputFile } from "../../src/invoke/output-file.ts";
import { temporaryDirectory } from "../helpers/api-server.ts";

test("a file appears when it is complete, and not before", async () => {
  const folder = temporaryDirectory();
  const path = join(folder, "out.bin");
  const file = await openOutputFile(path);
  let seen: string[] = [];
  async function* chunks() {
    yield Buffer.from("half ");
    seen = readdirSync(folder);
    yield Buffer.from("and half");
  }
  expect(await file.write(Readable.from(chunks()))).toBe(13);
  await file.discard();
  expect(seen).not.toContain("out.bin");
  expect(readdirSync(folder)).toEqual(["out.bin"]);
  expect(readFileSync(path, "utf8")).toBe("half and half");
});

test("a failed transfer leaves the existing file", async () => {
  const folder = temporaryDirectory();
  const path = join(folder, "out.bin");
  writeFileSync(path, "before");
  const file = await openOutputFile(path);
  async function* chunks() {
    yield Buffer.from("half");
    throw new Error("broken off");
  }
  await expect(file.write(Readable.from(chunks()))).rejects.toThrow("broken off");
  await file.discard();
  expect(readdirSync(folder)).toEqual(["out.bin"]);
  expect(readFileSync(path, "utf8")).toBe("before");
});

test("a link stays a link, and a device a device", async () => {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, "target"), "before");
  symlinkSync("target", join(folder, "link"));
  const file = await openOutputFile(join(folder, "link"));
  await file.write(Readable.from([Buffer.from("after")]));
  expect(lstatSync(join(folder, "link")).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, "target"), "utf8")).toBe("after");

  const device = await openOutputFile("/dev/null");
  expect(await device.write(Readable.from([Buffer.from("gone")]))).toBe(4);
  await device.discard();
  expect(lstatSync("/dev/null").isCharacterDevice()).toBe(true);
});

test("a folder, and a file in a missing folder, are rejected before anything is sent", async () => {
  const folder = temporaryDirectory();
  mkdirSync(join(folder, "there"));
  await expect(openOutputFile(join(folder, "there"))).rejects.toMatchObject({
    code: "USAGE",
    message: `${join(folder, "there")} is a directory.`,
  });
  await expect(openOutputFile(join(folder, "none", "file"))).rejects.toMatchObject({
    code: "USAGE",
    message: `Can't write ${join(folder, "none", "file")}: the directory doesn't exist.`,
  });
});
