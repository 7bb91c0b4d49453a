import { parseArgs } from "node:util";
import { GOALS } from "./goals.ts";
import { createGround } from "./ground.ts";
import { measure, type Result } from "./measure.ts";
import { Processes } from "./processes.ts";
import { describeMachine, recordRun, toDocument } from "./record.ts";
import { renderTable } from "./report.ts";
import { ROWS } from "./rows.ts";
import { findMisses } from "./verdict.ts";
import { createWorld } from "./world.ts";

const USAGE = `Usage: npm run bench -- [--row NAME] [--check] [--json]

  --row NAME   measure only this row; repeatable: ${GOALS.map(({ name }) => name).join(", ")}
  --check      exit with 1 if a result misses its goal by more than 15%, or a row fails
  --json       print one JSON document

A run of all rows writes docs/bench/ unless it is a --check.
`;

const INTERRUPTED = 130;

/** Measures; the exit code. `root` is the project's folder, `build` makes its dist/. */
export async function main(argv: readonly string[], root: string, build: () => void): Promise<number> {
  const options = readOptions(argv);
  if (!options) return 2;
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { row: names, check, json } = options;
  const goals = GOALS.filter(({ name }) => names.length === 0 || names.includes(name));

  const machine = describeMachine();
  build();
  const processes = new Processes();
  // What a row waits for ends with its processes.
  const interrupted = () => void processes.close();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, interrupted);
  try {
    const world = createWorld(createGround(processes, root));
    const results: Result[] = [];
    for (const [index, goal] of goals.entries()) {
      process.stderr.write(`[${index + 1}/${goals.length}] ${goal.name} …\n`);
      results.push(await measure(goal, () => (ROWS[goal.name] ?? unknown(goal.name))(world)));
      if (processes.isClosed) return INTERRUPTED;
    }
    if (json) process.stdout.write(`${JSON.stringify(toDocument(machine, results), null, 2)}\n`);
    else process.stdout.write(renderTable(results, process.stdout.isTTY === true));
    if (names.length === 0 && !check) recordRun(root, machine, results);
    const misses = check ? findMisses(results) : [];
    for (const { goal } of misses) process.stderr.write(`${goal.name} misses its goal by more than 15%, or failed.\n`);
    return misses.length > 0 ? 1 : 0;
  } finally {
    await processes.close();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, interrupted);
  }
}

function readOptions(args: readonly string[]): { row: string[]; check: boolean; json: boolean; help: boolean } | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        row: { type: "string", multiple: true, default: [] },
        check: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const strange = values.row.find((name) => !(name in ROWS));
    if (strange === undefined) return values;
    process.stderr.write(`There is no row "${strange}".\n\n${USAGE}`);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
  }
  return undefined;
}

function unknown(name: string): never {
  throw new Error(`Nothing measures ${name}.`);
}
