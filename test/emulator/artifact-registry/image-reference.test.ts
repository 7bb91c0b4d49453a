import { expect, test } from "vitest";
import { parseImageReference, tagKey } from "../../../src/emulator/artifact-registry/image-reference.ts";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

test.for([
  ["gcr.io/p/n", { name: "gcr.io/p/n" }],
  ["gcr.io/p/n:v1.2_3", { name: "gcr.io/p/n", tag: "v1.2_3" }],
  ["us-docker.pkg.dev/p/r/a/b:latest", { name: "us-docker.pkg.dev/p/r/a/b", tag: "latest" }],
  [`gcr.io/p/n@${DIGEST}`, { name: "gcr.io/p/n", digest: DIGEST }],
  [`gcr.io/p/n:t@${DIGEST}`, { name: "gcr.io/p/n", tag: "t", digest: DIGEST }],
  ["localhost:5000/n", { name: "localhost:5000/n" }],
  ["node:22-slim", { name: "docker.io/library/node", tag: "22-slim" }],
  ["user/image", { name: "docker.io/user/image" }],
  ["gcr.io/p/a__b-c.d", { name: "gcr.io/p/a__b-c.d" }],
  ["gcr.io/P/n", undefined],
  ["gcr.io/p/n:", undefined],
  ["gcr.io/p//n", undefined],
  ["gcr.io/p/n@sha256:12", undefined],
  ["-n", undefined],
  ["", undefined],
] as const)("%s", ([text, expected]) => {
  expect(parseImageReference(text)).toEqual(expected);
});

test("a reference without a tag means the tag latest", () => {
  expect(tagKey({ name: "gcr.io/p/n" })).toBe("gcr.io/p/n:latest");
  expect(tagKey({ name: "gcr.io/p/n", tag: "v1" })).toBe("gcr.io/p/n:v1");
});
