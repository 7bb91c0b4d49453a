import { expect, test } from "vitest";
import { openOperator } from "../../helpers/operator.ts";

const { json, refusal, createService } = openOperator();

test("traffic divides between revisions; the rest stays with the revision that serves", async () => {
  const [third, second, first] = await createService("divided", 3);
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

test("tags are set, moved and removed without changing the traffic", async () => {
  const [second, first] = await createService("tagged", 2);
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
] as const)("traffic %j exits with %i: %s", async ([argv, exitCode, message]) => {
  expect(await refusal("traffic", ...argv)).toMatchObject({ exitCode, message, stdout: "" });
});
