import { expect, test } from "vitest";
import { GOALS, type Goal } from "./goals.ts";
import { measure, type Result } from "./measure.ts";
import { Missing } from "./missing.ts";
import { renderPlot } from "./plot.ts";
import { describeMachine, toDocument } from "./record.ts";
import { renderTable } from "./report.ts";
import { ROWS } from "./rows.ts";
import { summarize } from "./statistics.ts";
import { findMisses, judge } from "./verdict.ts";

const goal = (limit: number, rest: Partial<Goal> = {}): Goal => ({
  name: "row",
  what: "ours / <theirs>",
  figure: "ratio",
  limit,
  less: true,
  unit: "",
  ...rest,
});

/** A row whose rounds give these figures, one after the other. */
function measured(of: Goal, ours: readonly number[], peer: readonly number[] = []): Promise<Result> {
  const [own, others] = [[...ours], [...peer]];
  const next = (figures: number[]) => async () => figures.shift() ?? NaN;
  const trial = { ours: next(own), ...(peer.length > 0 && { peer: next(others) }), unit: "ms", rounds: ours.length, warm: false };
  return measure(of, async () => trial);
}

test("every goal has its row, and every row its goal", () => {
  expect(Object.keys(ROWS)).toEqual(GOALS.map(({ name }) => name));
});

test.for([
  [[3], 3, 3, 3],
  [[4, 1, 3, 2], 2.5, 1.75, 3.25],
  [[10, 1, 2, 3, 4], 3, 2, 4],
] as const)("the median and the quartiles of %j", ([figures, median, lower, upper]) => {
  expect(summarize(figures)).toEqual({ median, lower, upper });
});

test("the figure is the median of the rounds' ratios, not the ratio of the medians", async () => {
  const result = await measured(goal(1), [10, 200, 30], [10, 100, 10]);
  expect(result).toMatchObject({ figure: { median: 2 }, ours: { median: 30 }, peer: { median: 10 }, rounds: 3 });
});

test("a difference and a figure of its own are compared with nothing else", async () => {
  expect(await measured(goal(2, { figure: "difference" }), [5, 6, 7], [4, 4, 4])).toMatchObject({ figure: { median: 2 } });
  expect(await measured(goal(2, { figure: "own" }), [5, 6, 7])).toMatchObject({ figure: { median: 6 } });
});

test("rounds take turns at being first, and the first round is not counted", async () => {
  const order: string[] = [];
  const call = (name: string) => async () => order.push(name);
  const result = await measure(goal(1), async () => ({ ours: call("ours"), peer: call("peer"), unit: "ms", rounds: 2 }));
  expect(order).toEqual(["peer", "ours", "ours", "peer", "peer", "ours"]);
  expect(result).toMatchObject({ ours: { median: 4.5 }, rounds: 2 });
});

test.for([
  [goal(1.25), 1.25, "met"],
  [goal(1.25), 1.3, "missed"],
  [goal(1.25), 1.45, "far off"],
  [goal(0.5, { less: false }), 0.5, "met"],
  [goal(0.5, { less: false }), 0.45, "missed"],
  [goal(0.5, { less: false }), 0.4, "far off"],
  [goal(2, { figure: "difference" }), -1, "met"],
] as const)("%o: %f is %s", async ([of, figure, verdict]) => {
  const result = await measured({ ...of, figure: "own" }, [figure]);
  expect(judge(result)).toBe(verdict);
  expect(findMisses([result])).toEqual(verdict === "far off" ? [result] : []);
});

test("what the machine lacks is said, and is no miss; what fails is one", async () => {
  const fail = (error: Error) =>
    measure(goal(1), async () => {
      throw error;
    });
  const results = [await fail(new Missing("nginx is not installed")), await fail(new Error("wrk failed"))];
  expect(results.map(judge)).toEqual(["not measured", "not measured"]);
  expect(findMisses(results)).toEqual([results[1]]);
  expect(renderTable(results, false)).toMatch(/missing +nginx is not installed\n.* failed +wrk failed\n$/);
});

test("table, plot and document show each row", async () => {
  const results = [
    await measured(goal(1.25), [10, 20], [10, 10]),
    await measure(goal(1), async () => {
      throw new Missing("nginx is not installed");
    }),
  ];
  expect(renderTable(results, false)).toMatchInlineSnapshot(`
    "comparison       result  interquartile range  goal             medians
    ours / <theirs>  1.5     1.25–1.75            ≤ 1.25  far off  15 / 10 ms
    ours / <theirs>  –                            ≤ 1     missing  nginx is not installed
    "
  `);
  expect(toDocument(describeMachine(), results).rows).toMatchObject([
    { name: "row", goal: { at_most: 1.25 }, median: 1.5, lower: 1.25, upper: 1.75, verdict: "far off", rounds: 2 },
    { verdict: "not measured", reason: "nginx is not installed" },
  ]);
  const plot = renderPlot(results);
  expect(plot).toContain("ours / &lt;theirs>");
  expect(plot.match(/<circle /g)).toHaveLength(1);
  expect(plot).not.toContain("NaN");
});
