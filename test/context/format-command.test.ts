import { expect, test } from "vitest";
import { createFormatCommand, quoteCommand } from "../../src/context/format-command.ts";
import { nextStep, externalStep } from "../../src/errors/next-step.ts";

const io = { env: {}, self: [], cwd: "/work" };

test.for([
  [["deploy", "-r", "europe-west1"], ["build"], "cloudrun-oauth build -r europe-west1"],
  [["-reurope-west1", "deploy"], ["build"], "cloudrun-oauth build -r europe-west1"],
  [["deploy", "--region=europe-west1", "-p", "my-project"], ["list"], "cloudrun-oauth list -p my-project --region europe-west1"],
  [["deploy", "-r", "a", "-r", "b"], ["build"], "cloudrun-oauth build -r b"],
  [["deploy", "-r", "a"], ["build", "--region", "c"], "cloudrun-oauth build --region c"],
  [
    ["--emulator", "--via", "api", "-C", "my app", "deploy"],
    ["logs", "hello"],
    "cloudrun-oauth logs hello -C 'my app' --emulator --via api",
  ],
  [["-s", "hello", "invoke"], ["grant", "hello", "--member", "a@b.c"], "cloudrun-oauth grant hello --member a@b.c"],
  [["-s", "hello", "invoke"], ["doctor"], "cloudrun-oauth doctor -s hello"],
  [["-s", "hello", "invoke"], ["list"], "cloudrun-oauth list"],
  [["emulator", "stop", "--data-dir", "d", "-p", "x"], ["emulator", "start"], "cloudrun-oauth emulator start --data-dir d"],
  [["-C", "d", "doctor"], ["emulator", "exec", "--", "gcloud", "info"], "cloudrun-oauth emulator exec -C d -- gcloud info"],
  [["list", "--profile", "wrk"], ["config", "use", "wrk"], "cloudrun-oauth config use wrk"],
  [["invoke", "--data-dir", "d", "--profile", "work"], ["config", "list"], "cloudrun-oauth config list --profile work"],
] as const)("after %j, the hint %j is a whole command", ([argv, command, line]) => {
  expect(quoteCommand(createFormatCommand(io, argv)(nextStep("To continue", ...command)))).toBe(line);
});

test("another program's command stays as it is", () => {
  const format = createFormatCommand(io, ["-r", "europe-west1", "list"]);
  expect(quoteCommand(format(externalStep("To sign in", "gcloud", "auth", "login")))).toBe("gcloud auth login");
});
