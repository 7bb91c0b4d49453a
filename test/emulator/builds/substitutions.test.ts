import { expect, test } from "vitest";
import { substitute } from "../../../src/emulator/builds/substitutions.ts";

test("names are replaced in all strings, a double dollar sign becomes one, and substitutions of triggers are empty", () => {
  const value = { steps: [{ args: ["$PROJECT_ID/${_NAME}", "$$HOME", "a$COMMIT_SHA"] }], count: 3 };
  expect(substitute(value, { _NAME: "n" }, { PROJECT_ID: "p" })).toEqual({ steps: [{ args: ["p/n", "$HOME", "a"] }], count: 3 });
});

test.for(["$_MISSING", "${NO_SUCH}"])("%s is rejected if it isn't defined", (text) => {
  expect(() => substitute(text, {}, {})).toThrow(/key in the template "(_MISSING|NO_SUCH)" is not/);
});
