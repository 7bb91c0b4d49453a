import { expect, test } from "vitest";
import { openOperator } from "../../helpers/operator.ts";

const { emulator, cli, json, refusal } = openOperator();

test("list shows the services of all regions, or of one", async () => {
  const region = ["--region", "europe-west1"];
  const image = `gcr.io/${emulator().project}/hello`;
  await json("deploy", "hallo", "--image", image, ...region);
  const { stdout } = await cli(["list"]);
  const rows = stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
  expect(rows.map(([service, place, state]) => [service, place, state])).toEqual(
    expect.arrayContaining([
      ["hallo", "europe-west1", "ready"],
      ["hello", "us-central1", "ready"],
    ]),
  );
  const { services, ...rest } = await json("list", ...region);
  expect(rest).toEqual({ project: emulator().project, region: "europe-west1" });
  expect(services).toMatchObject([{ service: "hallo", region: "europe-west1", image }]);
  // A region without services isn't an error.
  const none = await cli(["list", "--region", "us-west1"]);
  expect({ exitCode: none.exitCode, stdout: none.stdout }).toEqual({ exitCode: 0, stdout: "" });
  expect(none.stderr).toContain(`No services found in us-west1 (project ${emulator().project}).`);
});

test("the hint about a service that does not exist names a similar one, or the region that it is in", async () => {
  expect(await refusal("describe", "helol")).toMatchObject({
    exitCode: 4,
    message: 'Service "helol" not found in us-central1.',
    hint: 'Did you mean "hello"?',
  });
  expect(await refusal("members", "hello", "--region", "asia-east1")).toMatchObject({
    exitCode: 4,
    hint: "It exists in us-central1. Pass --region us-central1.",
  });
  expect(await refusal("describe", "something-else")).toMatchObject({
    hint: null,
    next: [{ text: "To list services", command: expect.arrayContaining(["list"]) }],
  });
});

test("a region that is not known is tried, and the error suggests a similar one", async () => {
  const { exitCode, hint } = await refusal("describe", "hello", "--region", "us-east2");
  expect(exitCode).toBe(4);
  expect(hint).toMatch(/^Unknown region "us-east2"\. Did you mean us-east1\? /);
});
