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
    message: "The percentages add up to 30 instead of 100.",
    hint: `Specify the percentage for each revision: --to ${first}=PERCENT --to LATEST=PERCENT`,
  });
  expect(await shares("--to", `${first}=25`, "--to", `${second}=75`)).toEqual([
    [first, 25],
    [second, 75],
  ]);
  expect(await shares("--to", "LATEST")).toEqual([["LATEST", 100]]);
  expect(await refusal("traffic", "divided", "--to", `${third}=40`)).toMatchObject({
    exitCode: 2,
    message: "The percentages add up to 40 instead of 100.",
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
    message: 'Tag "new" not found on tagged.',
    hint: "Tags: old.",
  });
});

test.for([
  [["--to", "hello-00001=x"], 2, 'Invalid --to "hello-00001=x".'],
  [["--to", "a-1=60", "--to", "b-1=70"], 2, "The percentages add up to 130 instead of 100."],
  [["--to", "a-1=101"], 2, 'Invalid percentage "101" for a-1.'],
  [["--to", "a-1=50", "--to", "a-1=50"], 2, "--to specifies a-1 more than once."],
  [["--to", "hello-1"], 4, 'Revision "hello-1" of "hello" not found.'],
  [["--tag", "next"], 2, 'Invalid --tag "next".'],
  [["--tag", "Next=hello-1"], 2, 'Invalid --tag "Next=hello-1".'],
  [["--tag", "next=hello-1"], 4, 'Revision "hello-1" of "hello" not found.'],
  [["--tag", "a=LATEST", "--remove-tag", "a"], 2, "--tag and --remove-tag can't both name a."],
] as const)("traffic %j exits with %i: %s", async ([argv, exitCode, message]) => {
  expect(await refusal("traffic", ...argv)).toMatchObject({ exitCode, message, stdout: "" });
});
