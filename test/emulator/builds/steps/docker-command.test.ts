import { expect, test } from "vitest";
import { parseDockerCommand } from "../../../../src/emulator/builds/steps/docker-command.ts";

test.for([
  ["build --network cloudbuild --no-cache -t gcr.io/p/n .", { verb: "build", tags: ["gcr.io/p/n"], dockerfile: undefined, context: "." }],
  [
    "build -t a -t b --tag=c --file docker/Dockerfile src",
    { verb: "build", tags: ["a", "b", "c"], dockerfile: "docker/Dockerfile", context: "src" },
  ],
  ["build . --label google.source=gs://b/o", { verb: "build", tags: [], dockerfile: undefined, context: "." }],
  ["push gcr.io/p/n", { verb: "push", reference: "gcr.io/p/n" }],
  ["tag a b", { verb: "tag", source: "a", target: "b" }],
] as const)("docker %s", ([line, expected]) => {
  expect(parseDockerCommand(line.split(" "))).toEqual(expected);
});

test.for([
  ["build --build-arg A=1 .", "The emulator doesn't support docker build --build-arg."],
  ["build -t", "flag needs an argument: -t"],
  ["build", '"docker build" requires exactly 1 argument.'],
  ["build a b", '"docker build" requires exactly 1 argument.'],
  ["push", '"docker push" requires exactly 1 argument.'],
  ["push --all-tags x", "The emulator doesn't support docker push --all-tags."],
  ["tag a", '"docker tag" requires exactly 2 arguments.'],
  ["run x", "The emulator supports only docker build, push, and tag, not docker run."],
] as const)("docker %s is rejected", ([line, message]) => {
  expect(() => parseDockerCommand(line.split(" "))).toThrow(message);
});
