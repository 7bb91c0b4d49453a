import type { Goal } from "./goals.ts";
import { Missing } from "./missing.ts";
import { summarize, type Summary } from "./statistics.ts";

/** What a row does in a round; each way gives one figure. */
export interface Trial {
  readonly ours: () => Promise<number>;
  /** Left out where the goal is about ours alone. */
  readonly peer?: () => Promise<number>;
  /** Of what `ours` and `peer` give. */
  readonly unit: string;
  /** At the most. */
  readonly rounds: number;
  /** False where a first round that is not counted would change nothing. */
  readonly warm?: boolean;
  /** What a reader of the figures has to know besides. */
  readonly note?: () => string;
}

export interface Measured {
  readonly goal: Goal;
  readonly unit: string;
  readonly figure: Summary;
  readonly ours: Summary;
  readonly peer?: Summary;
  readonly rounds: number;
  readonly note?: string;
}

/** A row that could not be measured, and why. */
interface Unmeasured {
  readonly goal: Goal;
  readonly reason: string;
  /** True where it failed, rather than that the machine lacks something. */
  readonly failed: boolean;
}

export type Result = Measured | Unmeasured;

/** Measures a row: rounds of one after the other, taking turns at being first, and the figure of each round. What a machine lacks is no failure. */
export async function measure(goal: Goal, prepare: () => Promise<Trial>): Promise<Result> {
  try {
    return await runTrial(goal, await prepare());
  } catch (error) {
    return { goal, reason: error instanceof Error ? error.message : String(error), failed: !(error instanceof Missing) };
  }
}

/** Milliseconds after which a row makes no more rounds than it has to: a busy machine gets a result, too. */
const BUDGET = 18_000;
const FEWEST_ROUNDS = 3;

async function runTrial(goal: Goal, { ours, peer, unit, rounds, warm = true, note }: Trial): Promise<Measured> {
  const [own, others]: [number[], number[]] = [[], []];
  const begun = performance.now();
  for (let round = warm ? -1 : 0; round < rounds; round += 1) {
    if (round >= FEWEST_ROUNDS && performance.now() - begun > BUDGET) break;
    const kept = round >= 0;
    const [a, b] = round % 2 === 0 ? [await ours(), await peer?.()] : await inReverse(ours, peer);
    if (!kept) continue;
    own.push(a);
    if (b !== undefined) others.push(b);
  }
  const figures = own.map((value, round) => figureOf(goal, value, others[round]));
  return {
    goal,
    unit,
    figure: summarize(figures),
    ours: summarize(own),
    ...(others.length > 0 && { peer: summarize(others) }),
    rounds: own.length,
    ...(note && { note: note() }),
  };
}

async function inReverse(ours: () => Promise<number>, peer?: () => Promise<number>): Promise<[number, number | undefined]> {
  const b = await peer?.();
  return [await ours(), b];
}

function figureOf({ figure, name }: Goal, ours: number, peer: number | undefined): number {
  if (figure === "own") return ours;
  if (peer === undefined) throw new Error(`${name} is compared with nothing.`);
  return figure === "ratio" ? ours / peer : ours - peer;
}
