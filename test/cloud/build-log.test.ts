import { expect, test } from "vitest";
import { openBuildLog } from "../../src/cloud/build-log.ts";
import type { CloudContext } from "../../src/cloud/cloud-context.ts";

const LINES = Array.from({ length: 25 }, (_, index) => `line ${index}`);

/** What is shown of a build that fails: behind the spinner, and as lines. */
function showFailure(flags: { interactive?: boolean; verbose?: boolean; quiet?: boolean; json?: boolean }) {
  const [told, notes, warnings]: string[][] = [[], [], []];
  const terminal = { interactive: false, verbose: false, quiet: false, json: false, ...flags } as CloudContext["terminal"];
  const note = (text: string) => void (flags.quiet || notes?.push(text));
  const log = openBuildLog({ ...terminal, note, warn: (text) => void warnings?.push(text) }, "us/p/r/hello:v1@sha256:0", (text) =>
    told?.push(text),
  );
  for (const line of LINES) log.add(line);
  const liveNotes = [...(notes ?? [])];
  expect(log.fail().split("\n")).toEqual(LINES.slice(-20));
  return { told, liveNotes, onFailure: [...(notes?.slice(liveNotes.length) ?? []), ...(warnings ?? [])] };
}

const STREAMED = { told: [], liveNotes: ["Building hello:v1…", ...LINES], onFailure: [] };

test.for([
  ["on a terminal is one line until the build fails", { interactive: true }, { told: LINES, liveNotes: [], onFailure: [LINES.join("\n")] }],
  ["on a terminal with --verbose is streamed", { interactive: true, verbose: true }, STREAMED],
  ["without a terminal is streamed below a title", {}, STREAMED],
  [
    "with --quiet is shown at its end if the build fails",
    { quiet: true },
    { told: [], liveNotes: [], onFailure: [`The end of the build log:\n${LINES.slice(-20).join("\n")}`] },
  ],
  ["with --json is not shown", { json: true }, { told: [], liveNotes: [], onFailure: [] }],
] as const)("the log %s", ([, flags, shown]) => {
  expect(showFailure(flags)).toEqual(shown);
});
