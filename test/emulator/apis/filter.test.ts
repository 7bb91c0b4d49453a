import { expect, test } from "vitest";
import { parseFilter } from "../../../src/emulator/apis/filter.ts";

const BUILD: Readonly<Record<string, unknown>> = { status: "WORKING", tags: ["a", "b c"], id: "one" };

test.for([
  ["", true],
  ["status=WORKING", true],
  ['status = "WORKING"', true],
  ["status!=WORKING", false],
  ["status:WORK*", true],
  ['tags="b c"', true],
  ["tags=c", false],
  // What `gcloud builds list --ongoing` sends.
  ['status="WORKING" OR status="QUEUED"', true],
  ['(status="WORKING" OR status="QUEUED") AND (tags=x)', false],
  ["status=QUEUED AND tags=a OR id=one", true],
  ["status=QUEUED AND (tags=a OR id=one)", false],
  ["status=WORKING tags=a", true],
] as const)("%s: %s", ([text, expected]) => {
  expect(parseFilter(text, Object.keys(BUILD))((name) => BUILD[name])).toBe(expected);
});

test.for(["other=1", "status", "status=", "status>1", "(status=1", "status=1)", "OR", "status=1 OR", "NOT status=1"])(
  "%s is refused",
  (text) => {
    expect(() => parseFilter(text, ["status"])).toThrow(`The emulator doesn't support the filter '${text}'.`);
  },
);
