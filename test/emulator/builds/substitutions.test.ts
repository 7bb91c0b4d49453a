import { expect, test } from "vitest";
import { substitute } from "../../../src/emulator/builds/substitutions.ts";

test("names are replaced in all texts, a double dollar is one, and what only triggers know is empty", () => {
  const value = { steps: [{ args: ["$PROJECT_ID/${_NAME}", "$$HOME", "a$COMMIT_SHA"] }], count: 3 };
  expect(substitute(value, { _NAME: "n" }, { PROJECT_ID: "p" })).toEqual({ steps: [{ args: ["p/n", "$HOME", "a"] }], count: 3 });
});

test.for(["$_MISSING", "${NO_SUCH}"])("%s is refused where nobody defines it", (text) => {
  expect(() => substitute(text, {}, {})).toThrow(/key in the template "(_MISSING|NO_SUCH)" is not/);
});
