import { expect, test } from "vitest";
import { extract } from "../../../src/emulator/iam/extract.ts";
import { getPolicy, isAllowed, setPolicy } from "../../../src/emulator/iam/policy.ts";
import { openTestState, PROJECT, temporaryDirectory } from "../../helpers/api-server.ts";

const SERVICE = `projects/${PROJECT}/locations/us-central1/services/hello`;
const ADA = { member: "user:ada@example.com", email: "ada@example.com" };
const SEE = "For more information, please refer to https://cloud.google.com/iam/docs/policies#versions.";

function conditional(expression: unknown, { role = "roles/run.invoker", member = ADA.member, version = 3 } = {}): object {
  return { version, bindings: [{ role, members: [member], condition: { title: "until then", expression } }] };
}

test.for([
  ["true", true],
  ["request.time < timestamp('2026-06-01T00:00:00Z')", true],
  ["request.time > timestamp('2026-06-01T00:00:00Z')", false],
  ["request.time < date('2026-05-05') + duration('3600s')", false],
  ["request.time.getDayOfWeek() == 2 && request.time.getHours('Europe/Berlin') == 14", true],
  ["request.time.getFullYear('America/New_York') == 2026", true],
  ["request.time < timestamp('soon')", false],
  ["resource.name.startsWith('projects/demo-project/locations/us-central1/')", true],
  ["resource.name.endsWith('/services/hello-two')", false],
  ["resource.name.extract('/services/{name}') == 'hello'", true],
  [`resource.name in ["${SERVICE}"] || false`, true],
  [`!(resource.name == "${SERVICE}")`, false],
] as const)("the condition %s is %s", ([expression, isMet]) => {
  const now = () => Date.parse("2026-05-05T12:30:00Z");
  for (const resource of [SERVICE, `projects/${PROJECT}`]) {
    const state = openTestState(temporaryDirectory(), now);
    setPolicy(state, resource, conditional(expression));
    expect(isAllowed(state, ADA, "run.routes.invoke", SERVICE)).toBe(isMet);
  }
});

test("whether a condition is met changes with time, without a write", () => {
  let time = Date.parse("2026-05-05T12:00:00Z");
  const state = openTestState(temporaryDirectory(), () => time);
  setPolicy(state, SERVICE, conditional("request.time < timestamp('2026-05-05T13:00:00Z')"));
  const outcomes = [0, 59 * 60_000, 60_000].map((ms) => {
    time += ms;
    return isAllowed(state, ADA, "run.routes.invoke", SERVICE);
  });
  expect(outcomes).toEqual([true, true, false]);
});

test.for([
  ["resource.type == 'x'", "the emulator supports only request.time and resource.name, not resource.type."],
  ["request.path.startsWith('/')", "the emulator supports only request.time and resource.name, not request.path."],
  ["true && destination.port == 1", "the emulator supports only request.time and resource.name, not destination."],
  ["api.getAttribute('x', [])", "the emulator supports only request.time and resource.name, not api."],
  ["resource.name.matches('a+')", "undeclared reference to the function matches."],
  ["has(resource.type)", "undeclared reference to the function has."],
  ["dyn(resource).type == 'x'", "undeclared reference to the function dyn."],
  ["[true].all(x, x)", "undeclared reference to the function all."],
  ["resource.name", "expected a result of type bool, not string."],
  ["resource.name ==", "syntax error: Unexpected token: EOF."],
  ["resource.name == 1", "no such overload: string == int."],
] as const)("refuses the condition %s", ([expression, reason]) => {
  const state = openTestState();
  expect(() => setPolicy(state, SERVICE, conditional(expression))).toThrow(
    expect.objectContaining({
      status: "INVALID_ARGUMENT",
      message: `Invalid value at 'policy.bindings[0].condition.expression': ${reason}`,
    }),
  );
  expect(getPolicy(state, SERVICE, 3).bindings).toEqual([]);
});

test.for([
  [conditional("true", { version: 1 }), `Specified policy version (1) cannot be less than 3 where bindings have conditions. ${SEE}`],
  [conditional("true", { role: "roles/editor" }), "Conditions cannot be set on the basic role roles/editor."],
  [conditional("true", { member: "allUsers" }), "Conditions cannot be set on a binding for allUsers."],
  [conditional(undefined), "Invalid value at 'policy.bindings[0].condition.expression': an expression is required."],
  [{ version: 2, bindings: [] }, "Invalid value at 'policy.version': valid values are 0, 1, and 3."],
  [{ version: 3, bindings: [{ role: "roles/run.invoker", condition: "true" }] }, "Invalid value at 'policy.bindings[0].condition'."],
  [
    { version: 3, bindings: [{ role: "roles/run.invoker", condition: { expression: "true" } }] },
    "Invalid value at 'policy.bindings[0].condition.title': a title is required.",
  ],
] as const)("refuses the policy %j", ([policy, message]) => {
  expect(() => setPolicy(openTestState(), SERVICE, policy)).toThrow(expect.objectContaining({ status: "INVALID_ARGUMENT", message }));
});

test("a caller who doesn't request version 3 sees that conditions exist, and can't overwrite them with that policy's etag", () => {
  const state = openTestState();
  const { etag } = setPolicy(state, SERVICE, conditional("true"));
  expect(getPolicy(state, SERVICE, 3)).toMatchObject({
    version: 3,
    bindings: [{ role: "roles/run.invoker", condition: { title: "until then" } }],
  });
  const seen = getPolicy(state, SERVICE);
  expect(seen).toEqual({
    version: 1,
    etag,
    bindings: [{ role: expect.stringMatching(/^roles\/run\.invoker_withcond_[0-9a-f]{20}$/), members: [ADA.member] }],
  });
  expect(() => setPolicy(state, SERVICE, { bindings: [], etag })).toThrow(
    `Specified policy version (1) cannot be less than the existing policy version (3). ${SEE}`,
  );
  expect(() => setPolicy(state, SERVICE, { bindings: seen.bindings })).toThrow("is not supported for this resource");
  // As at Google, without an etag nothing is compared.
  expect(setPolicy(state, SERVICE, { bindings: [] })).toMatchObject({ version: 1, bindings: [] });
});

test("bindings of one role are merged only if their conditions are equal", () => {
  const state = openTestState();
  const binding = (member: string, expression?: string) => ({
    role: "roles/run.invoker",
    members: [member],
    ...(expression && { condition: { title: "a", expression, description: "" } }),
  });
  const bindings = [
    binding("user:a@x.com", "true"),
    binding("user:b@x.com"),
    binding("user:c@x.com", "true"),
    binding("user:d@x.com", "false"),
  ];
  expect(setPolicy(state, SERVICE, { version: 3, bindings }).bindings).toEqual(
    [
      { role: "roles/run.invoker", members: ["user:b@x.com"] },
      { role: "roles/run.invoker", members: ["user:d@x.com"], condition: { title: "a", expression: "false" } },
      { role: "roles/run.invoker", members: ["user:a@x.com", "user:c@x.com"], condition: { title: "a", expression: "true" } },
    ].toSorted((a, b) => (JSON.stringify([a.role, a.condition]) < JSON.stringify([b.role, b.condition]) ? -1 : 1)),
  );
});

test.for([
  ["projects/p/services/hello", "/services/{name}", "hello"],
  ["projects/p/services/hello", "projects/{project}/", "p"],
  ["projects/p/services/hello", "{first}/", "projects"],
  ["projects/p/services/hello", "/buckets/{name}", ""],
  ["projects/p/services/hello", "/services/{name}/", ""],
  ["projects/p", "projects", ""],
] as const)("extract: %s by %s is '%s'", ([text, template, found]) => {
  expect(extract(text, template)).toBe(found);
});
