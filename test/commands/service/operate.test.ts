import { expect, test } from "vitest";
import { tinyService } from "../../helpers/emulator.ts";
import { MOODY, openOperator } from "../../helpers/operator.ts";

// Services in daily operation, by Google's APIs; that gcloud comes to the same is held in test/cloud/contract.

const { emulator, cli, json, refusal, revisions, make } = openOperator();

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
  // What other commands take from the environment hides nothing.
  const none = await cli(["list", "--region", "us-west1"]);
  expect({ exitCode: none.exitCode, stdout: none.stdout }).toEqual({ exitCode: 0, stdout: "" });
  expect(none.stderr).toContain(`There is no service in us-west1 of project ${emulator().project}.`);
});

test("a service that is misspelt, or in another region, is found for the hint", async () => {
  expect(await refusal("describe", "helol")).toMatchObject({
    exitCode: 4,
    message: "There is no service helol.",
    hint: "Did you mean hello? All that there are: cloudrun-oauth list",
  });
  expect(await refusal("members", "hello", "--region", "asia-east1")).toMatchObject({
    exitCode: 4,
    hint: `It is not in asia-east1 of project ${emulator().project}, but in us-central1: say --region us-central1`,
  });
  expect(await refusal("describe", "something-else")).toMatchObject({
    hint: `It is not in us-central1 of project ${emulator().project}. See those that are: cloudrun-oauth list`,
  });
});

test("a region that is formed as Google's are is tried, and doubted where it fails", async () => {
  const { exitCode, hint } = await refusal("describe", "hello", "--region", "us-east2");
  expect(exitCode).toBe(4);
  expect(hint).toMatch(/^Cloud Run has no region us-east2, unless it is a new one\. Did you mean us-east1\? /);
});

test("traffic is divided; what is missing stays with the one that serves beside", async () => {
  const [third, second, first] = await make("divided", 3);
  const shares = async (...argv: readonly string[]) =>
    ((await json("traffic", "divided", ...argv))["traffic"] as { revision: string; percent: number; latest: boolean }[]).map(
      ({ revision, percent, latest }) => [latest ? "LATEST" : revision, percent],
    );
  expect(await shares("--to", `${first}=10`)).toEqual([
    [first, 10],
    ["LATEST", 90],
  ]);
  expect(await refusal("traffic", "divided", "--to", `${second}=30`)).toMatchObject({
    exitCode: 2,
    message: "The percentages add up to 30: 70 are missing.",
    hint: `Several revisions serve beside: say what each is to get, --to ${first}=… --to LATEST=…`,
  });
  expect(await shares("--to", `${first}=25`, "--to", `${second}=75`)).toEqual([
    [first, 25],
    [second, 75],
  ]);
  expect(await shares("--to", "LATEST")).toEqual([["LATEST", 100]]);
  expect(await refusal("traffic", "divided", "--to", `${third}=40`)).toMatchObject({
    exitCode: 2,
    message: "The percentages add up to 40: 60 are missing.",
  });
});

test("tags are set, moved and removed, and leave the traffic alone", async () => {
  const [second, first] = await make("tagged", 2);
  const tags = async (...argv: readonly string[]) =>
    ((await json("traffic", "tagged", ...argv))["traffic"] as { revision: string; percent: number; tag: string | null }[]).map(
      ({ revision, percent, tag }) => [revision, percent, tag],
    );
  expect(await tags("--tag", `old=${first}`, "--tag", "new=LATEST")).toEqual([
    [second, 100, null],
    [second, 0, "new"],
    [first, 0, "old"],
  ]);
  expect(await tags("--tag", `old=${second}`, "--remove-tag", "new")).toEqual([
    [second, 100, null],
    [second, 0, "old"],
  ]);
  expect(await refusal("traffic", "tagged", "--remove-tag", "new")).toMatchObject({
    exitCode: 4,
    message: "tagged has no tag new.",
    hint: "Its tags: old",
  });
});

test.for([
  [["--to", "hello-00001=x"], 2, "--to hello-00001=x is no share of the traffic: it has the form REVISION=PERCENT."],
  [["--to", "a-1=60", "--to", "b-1=70"], 2, "The percentages add up to 130: 30 too many."],
  [["--to", "a-1=101"], 2, "101 is no percentage for a-1: it is a whole number from 0 to 100."],
  [["--to", "a-1=50", "--to", "a-1=50"], 2, "--to names a-1 more than once."],
  [["--to", "hello-1"], 4, "hello has no revision hello-1."],
  [["--tag", "next"], 2, "--tag next is no tag: it has the form TAG=REVISION, in lower case."],
  [["--tag", "Next=hello-1"], 2, "--tag Next=hello-1 is no tag: it has the form TAG=REVISION, in lower case."],
  [["--tag", "next=hello-1"], 4, "hello has no revision hello-1."],
  [["--tag", "a=LATEST", "--remove-tag", "a"], 2, "--tag and --remove-tag both name a."],
] as const)("traffic %j leaves %i: %s", async ([argv, exitCode, message]) => {
  expect(await refusal("traffic", ...argv)).toMatchObject({ exitCode, message, stdout: "" });
});

test("rollback goes to the newest good revision before the one that serves, until there is none", async () => {
  const [third, second, first] = await make("rolled", 3);
  const { stdout, stderr } = await cli(["rollback", "rolled"]);
  expect(stdout).toMatch(new RegExp(`^URL\thttps://rolled-.*\nREVISION\t${second}\nFROM\t${third}\n$`));
  expect(stderr).toMatch(new RegExp(`${third} serves; ${second}, made (?:just now|.* ago), is the newest before it that is ready\\.`));
  expect(await json("rollback", "rolled")).toMatchObject({ revision: first, from: second, changed: true });
  expect(await refusal("rollback", "rolled")).toMatchObject({
    exitCode: 4,
    message: `rolled has no good revision before ${first}, which serves.`,
  });
  expect(await json("rollback", "rolled", "--to", third!)).toMatchObject({
    revision: third,
    traffic: [{ revision: third, latest: false }],
  });
  // Nor does a new deployment change that.
  expect((await cli(["env", "set", "rolled", "COUNT=9"])).stderr).toContain(
    "gets 0% of the traffic. To give it all: cloudrun-oauth traffic rolled --to LATEST",
  );
});

test("a deployment that failed has nothing to be rolled back, and is passed over later", async () => {
  const [, first] = await make("broken", 2);
  expect((await cli(["env", "set", "broken", "MOOD=bad"])).exitCode).toBe(1);
  const [bad, second] = await revisions("broken");
  const { reason, ...rest } = await json("rollback", "broken");
  expect(rest).toMatchObject({ revision: second, changed: false });
  expect(reason).toMatch(new RegExp(`^${bad} is not ready: .* It takes no traffic: ${second} serves, and goes on serving\\.$`));

  const refused = await refusal("traffic", "broken", "--to", bad!);
  expect(refused).toMatchObject({ exitCode: 1, code: "DEPLOY_FAILED", hint: `Those that can: ${second}, ${first}` });
  expect(refused.message).toContain(`${bad} can take no traffic: ${bad} is not ready: `);
  expect(await refusal("rollback", "broken", "--to", bad!)).toMatchObject({ exitCode: 1 });

  await json("env", "set", "broken", "MOOD=good");
  const [good] = await revisions("broken");
  expect(await json("rollback", "broken")).toMatchObject({
    from: good,
    revision: second,
    reason: expect.stringContaining(`${bad} is not ready`),
  });
});

test("delete says what goes, needs a yes, and leaves 4 where there is nothing", async () => {
  await emulator().deploy("gone", tinyService(MOODY));
  const { exitCode, stdout, stderr } = await cli(["delete", "gone"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain(
    `gone in us-central1 of project ${emulator().project} goes, with all its revisions and its policy:\n  https://gone-`,
  );
  expect(stderr).toContain("hint: Say it on the command line: --yes");
  expect(await json("--yes", "delete", "gone")).toMatchObject({ service: "gone", region: "us-central1", deleted: true });
  expect(await refusal("--yes", "delete", "gone")).toMatchObject({ exitCode: 4, message: "There is no service gone." });
});
