import * as fc from "fast-check";
import { expect, test } from "vitest";
import { canInvoke } from "../../../src/emulator/front-door/check-access.ts";
import { setPolicy } from "../../../src/emulator/iam/policy.ts";
import { resolveHost } from "../../../src/emulator/run/resolve-host.ts";
import { PROJECT, PROJECT_NUMBER } from "../../helpers/api-server.ts";
import { NOW } from "../../helpers/identity.ts";
import { idTokenOf, openService, SERVICE } from "../../helpers/service-call.ts";

// What follows up to the test knows nothing of the emulator's evaluation: it is Google's documentation, written down a second time.

type Condition =
  | { readonly kind: "before" | "from"; readonly hours: number }
  | { readonly kind: "below"; readonly prefix: string }
  | { readonly kind: "and" | "or"; readonly both: readonly [Condition, Condition] }
  | { readonly kind: "not"; readonly one: Condition };

interface Binding {
  readonly role: string;
  readonly members: readonly string[];
  readonly condition?: Condition;
}

interface Caller {
  readonly names: readonly string[];
  readonly isGoogles: boolean;
}

const INVOKES = ["roles/owner", "roles/editor", "roles/run.admin", "roles/run.invoker", "roles/run.servicesInvoker"];
const DOES_NOT = ["roles/viewer", "roles/run.viewer", "roles/run.developer", "roles/iam.serviceAccountUser", "roles/storage.admin"];
const BASIC = ["roles/owner", "roles/editor", "roles/viewer"];
const EVERYBODY = ["allUsers", "allAuthenticatedUsers"];

const render = (condition: Condition): string => {
  if ("hours" in condition) {
    const time = new Date((NOW + condition.hours * 3600) * 1000).toISOString();
    return `request.time ${condition.kind === "before" ? "<" : ">="} timestamp('${time}')`;
  }
  if ("prefix" in condition) return `resource.name.startsWith("${condition.prefix}")`;
  if ("one" in condition) return `!(${render(condition.one)})`;
  return condition.both.map((each) => `(${render(each)})`).join(condition.kind === "and" ? " && " : " || ");
};

const isMet = (condition: Condition): boolean => {
  if ("hours" in condition) return condition.kind === "before" ? condition.hours > 0 : condition.hours <= 0;
  if ("prefix" in condition) return SERVICE.startsWith(condition.prefix);
  if ("one" in condition) return !isMet(condition.one);
  return condition.kind === "and" ? condition.both.every(isMet) : condition.both.some(isMet);
};

const stands = (member: string, caller: Caller | undefined): boolean =>
  member === "allUsers" ||
  (caller !== undefined && ((member === "allAuthenticatedUsers" && caller.isGoogles) || caller.names.includes(member)));

const invokes = (bindings: readonly Binding[], caller: Caller | undefined): boolean =>
  bindings.some(
    ({ role, members, condition }) =>
      INVOKES.includes(role) && (!condition || isMet(condition)) && members.some((member) => stands(member, caller)),
  );

const POOL = `iam.googleapis.com/projects/${PROJECT_NUMBER}/locations/global/workloadIdentityPools/pipelines`;
const accountOf = (id: string): string => `${id}@${PROJECT}.iam.gserviceaccount.com`;
const ACCOUNTS = ["caller", "worker-one", "worker-two"];
const MEMBERS = [
  ...EVERYBODY,
  ...ACCOUNTS.map((id) => `serviceAccount:${accountOf(id)}`),
  `deleted:serviceAccount:${accountOf("caller")}?uid=1`,
  "user:ada@example.com",
  "user:bob@other.example.com",
  "domain:example.com",
  "group:all@example.com",
  `principal://${POOL}/subject/build`,
  `principalSet://${POOL}/group/ops`,
  `principalSet://${POOL}/attribute.branch/main`,
  `principalSet://${POOL}/*`,
];
const OTHERS: readonly (Caller & { readonly identity: Parameters<typeof canInvoke>[2] })[] = [
  {
    names: ["user:ada@example.com", "domain:example.com"],
    isGoogles: true,
    identity: { member: "user:ada@example.com", email: "ada@example.com" },
  },
  {
    names: ["user:bob@other.example.com"],
    isGoogles: true,
    identity: { member: "user:bob@other.example.com", email: "bob@other.example.com" },
  },
  ...[["group/ops"], ["attribute.branch/main"], []].map((sets, index) => {
    const [principal, principalSets] = [
      `principal://${POOL}/subject/${index === 2 ? "build" : "test"}`,
      ["*", ...sets].map((set) => `principalSet://${POOL}/${set}`),
    ];
    return { names: [principal, ...principalSets], isGoogles: false, identity: { member: principal, email: principal, principalSets } };
  }),
];

const prefixes = ["projects/", `projects/${PROJECT}/locations/us-`, `${SERVICE}`, `${SERVICE}-two`, "projects/elsewhere/"];
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({ kind: fc.constantFrom("before", "from"), hours: fc.integer({ min: -2, max: 2 }) }),
    fc.record({ kind: fc.constant("below"), prefix: fc.constantFrom(...prefixes) }),
    fc.record({ kind: fc.constantFrom("and", "or"), both: fc.tuple(tie("condition"), tie("condition")) }),
    fc.record({ kind: fc.constant("not"), one: tie("condition") }),
  ) as fc.Arbitrary<Condition>,
}));
const binding: fc.Arbitrary<Binding> = fc
  .record({
    role: fc.oneof(fc.constantFrom(...INVOKES), fc.constantFrom(...DOES_NOT)),
    members: fc.uniqueArray(fc.constantFrom(...MEMBERS), { minLength: 1, maxLength: 3 }),
    condition: fc.option(condition, { nil: undefined }),
  })
  // Google doesn't accept conditions for basic roles and for public members.
  .map(({ condition: given, ...rest }) =>
    given && !BASIC.includes(rest.role) && !rest.members.some((member) => EVERYBODY.includes(member))
      ? { ...rest, condition: given }
      : rest,
  );
const bindings = fc.array(binding, { maxLength: 4 });
const world = fc.record({ ofService: bindings, ofProject: bindings, disabled: fc.subarray(ACCOUNTS) });

const message = (all: readonly Binding[]): object => ({
  version: 3,
  bindings: all.map(({ condition: given, ...rest }) =>
    given ? { ...rest, condition: { title: "generated", expression: render(given) } } : rest,
  ),
});

test(
  "1,000 generated policies of service and project are evaluated for all callers and audiences as Google documents it",
  { timeout: 60_000 },
  async () => {
    const custom = "https://api.example.com";
    const hello = await openService({ "run.googleapis.com/custom-audiences": JSON.stringify([custom]) });
    const { state } = hello;
    state.workloadIdentityPools.set(`${PROJECT}/pipelines`, { projectNumber: PROJECT_NUMBER, id: "pipelines", state: "ACTIVE" });
    const accounts = [hello.caller, ...ACCOUNTS.slice(1).map((id) => hello.account(id))];
    const good = [...hello.urls, `${hello.url}/`, custom];
    const bad = [hello.tagUrl, `${custom}/`, "https://hello.example.com"];
    const tokens = accounts.flatMap((account) =>
      [...good, ...bad].map((audience) => ({ account, audience, token: idTokenOf(account, audience) })),
    );
    const route = resolveHost(state, new URL(hello.url).host, 0);
    if (!route) throw new Error("The service has no route");

    const outcomes = new Map<string, number>();
    const property = fc.asyncProperty(world, async ({ ofService, ofProject, disabled }) => {
      setPolicy(state, SERVICE, message(ofService));
      setPolicy(state, `projects/${PROJECT}`, message(ofProject));
      for (const [index, account] of accounts.entries())
        state.serviceAccounts.set(account.email, { ...account, disabled: disabled.includes(ACCOUNTS[index] ?? "") });
      const all = [...ofService, ...ofProject];
      const isPublic = invokes(all, undefined);

      expect(await hello.call()).toBe(isPublic ? "admitted" : 403);
      for (const { account, audience, token } of tokens) {
        const isGood = good.includes(audience) && !disabled.includes(account.email.split("@")[0] ?? "");
        const isInvoker = invokes(all, { names: [`serviceAccount:${account.email}`], isGoogles: true });
        const expected = isPublic || (isGood && isInvoker) ? "admitted" : isGood ? 403 : 401;
        const outcome = await hello.call({ token });
        outcomes.set(String(outcome), (outcomes.get(String(outcome)) ?? 0) + 1);
        expect({ account: account.email, audience, outcome }).toEqual({ account: account.email, audience, outcome: expected });
      }
      for (const { identity, ...caller } of OTHERS) expect(canInvoke(state, route, identity)).toBe(invokes(all, caller));
    });
    await fc.assert(property, { numRuns: 1000 });
    // Each outcome is there often enough for the agreement to mean something.
    for (const outcome of ["admitted", "401", "403"]) expect(outcomes.get(outcome)).toBeGreaterThan(1000);
  },
);
