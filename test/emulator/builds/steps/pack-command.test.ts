import { expect, test } from "vitest";
import { parsePackCommand } from "../../../../src/emulator/builds/steps/pack-command.ts";

test.for([
  ["build gcr.io/p/n --network cloudbuild", { verb: "build", images: ["gcr.io/p/n"], env: {}, path: "." }],
  [
    'build a -t b --path src --env A=1 --env=B="x=y" --builder gcr.io/buildpacks/builder:google-22',
    { verb: "build", images: ["a", "b"], env: { A: "1", B: "x=y" }, path: "src" },
  ],
  ["config default-builder gcr.io/buildpacks/builder:latest", { verb: "default-builder", builder: "gcr.io/buildpacks/builder:latest" }],
] as const)("pack %s", ([line, expected]) => {
  expect(parsePackCommand(line.split(" "))).toEqual(expected);
});

test.for([
  ["build", "accepts 1 arg(s), received 0"],
  ["build a b", "accepts 1 arg(s), received 2"],
  ["build a --env", "flag needs an argument: --env"],
  ["build a --volume x", "The emulator doesn't support pack build --volume."],
  ["build a --builder heroku/builder:24", "only gcr.io/buildpacks/builder, not heroku/builder:24"],
  ["inspect a", "supports only pack build and pack config default-builder, not pack inspect a"],
] as const)("pack %s is rejected", ([line, message]) => {
  expect(() => parsePackCommand(line.split(" "))).toThrow(message);
});
