import { expect, test } from "vitest";
import { setPolicy } from "../../../src/emulator/iam/policy.ts";
import { deleteServiceAccount } from "../../../src/emulator/iam/service-accounts.ts";
import { idTokenOf, openService, SERVICE, type CalledService } from "../../helpers/service-call.ts";

function grant({ state, caller }: CalledService, resource = SERVICE): void {
  setPolicy(state, resource, { bindings: [{ role: "roles/run.invoker", members: [`serviceAccount:${caller.email}`] }] });
}

test("a caller with access can use each of the service's URLs and a tag's, with a token for the service's URL", async () => {
  const hello = await openService();
  const token = idTokenOf(hello.caller, hello.url);
  expect(await hello.call({ token })).toBe(403);
  grant(hello);
  for (const url of [...hello.urls, hello.tagUrl]) expect(await hello.call({ url, token })).toBe("admitted");
  expect(await hello.call()).toBe(403);
});

test("a tag's own URL isn't an audience, neither at the tag nor at the service", async () => {
  const hello = await openService();
  grant(hello);
  const token = idTokenOf(hello.caller, hello.tagUrl);
  expect([await hello.call({ url: hello.tagUrl, token }), await hello.call({ token })]).toEqual([401, 401]);
});

test("a custom audience works like the URL, with its exact spelling only", async () => {
  const hello = await openService({ "run.googleapis.com/custom-audiences": '["https://api.example.com"]' });
  grant(hello);
  const outcomes = ["https://api.example.com", "https://api.example.com/", "https://example.com", hello.url].map((audience) =>
    hello.call({ token: idTokenOf(hello.caller, audience) }),
  );
  expect(await Promise.all(outcomes)).toEqual(["admitted", 401, 401, "admitted"]);
});

// gcloud writes True, by Python's str(); https://cloud.google.com/run/docs/securing/managing-access
test.for(["True", "true"])("--no-invoker-iam-check (%s) checks no credentials, and leaves headers unchanged", async (value) => {
  const hello = await openService();
  expect(await hello.call()).toBe(403);
  hello.annotate({ "run.googleapis.com/invoker-iam-disabled": value });
  expect([await hello.call(), await hello.call({ token: "nonsense" })]).toEqual(["admitted", "admitted"]);
  hello.annotate({ "run.googleapis.com/invoker-iam-disabled": "False" });
  expect(await hello.call()).toBe(403);
});

test.for(["internal", "internal-and-cloud-load-balancing"])("ingress %s hides a service from every outside caller", async (ingress) => {
  const hello = await openService({ "run.googleapis.com/ingress": ingress });
  setPolicy(hello.state, SERVICE, { bindings: [{ role: "roles/run.invoker", members: ["allUsers"] }] });
  expect([await hello.call(), await hello.call({ url: hello.tagUrl })]).toEqual([404, 404]);
  expect(await hello.call({ isInternal: true })).toBe("admitted");
});

test.for(["True", "true"])("a disabled default URL (%s) is not found, and neither is a tag's", async (value) => {
  const hello = await openService({ "run.googleapis.com/default-url-disabled": value });
  setPolicy(hello.state, SERVICE, { bindings: [{ role: "roles/run.invoker", members: ["allUsers"] }] });
  for (const url of [...hello.urls, hello.tagUrl]) expect(await hello.call({ url, isInternal: true })).toBe(404);
});

test("a disabled or deleted account is rejected at once, and accepted again when it is enabled", async () => {
  const hello = await openService();
  const { state, caller } = hello;
  grant(hello);
  const token = idTokenOf(caller, hello.url);
  const outcomes = [await hello.call({ token })];
  state.serviceAccounts.set(caller.email, { ...caller, disabled: true });
  outcomes.push(await hello.call({ token }));
  state.serviceAccounts.set(caller.email, caller);
  outcomes.push(await hello.call({ token }));
  deleteServiceAccount(state, caller);
  outcomes.push(await hello.call({ token }));
  expect(outcomes).toEqual(["admitted", 401, "admitted", 401]);
});

test("a new account with a deleted one's name doesn't inherit its tokens or roles", async () => {
  const hello = await openService();
  grant(hello);
  const { caller } = hello;
  const token = idTokenOf(caller, hello.url);
  deleteServiceAccount(hello.state, caller);
  const again = hello.account("caller");
  expect(again.email).toBe(caller.email);
  expect([await hello.call({ token }), await hello.call({ token: idTokenOf(again, hello.url) })]).toEqual([401, 403]);
});

test("a token that was just accepted is rejected by the next call after its binding or its audience is removed", async () => {
  const hello = await openService({ "run.googleapis.com/custom-audiences": '["mine"]' });
  const tokens = [idTokenOf(hello.caller, hello.url), idTokenOf(hello.caller, "mine")];
  const outcomes = async () => [await hello.call({ token: tokens[0] as string }), await hello.call({ token: tokens[1] as string })];
  grant(hello);
  expect(await outcomes()).toEqual(["admitted", "admitted"]);
  hello.annotate({ "run.googleapis.com/custom-audiences": "[]" });
  expect(await outcomes()).toEqual(["admitted", 401]);
  setPolicy(hello.state, SERVICE, { bindings: [] });
  expect(await outcomes()).toEqual([403, 401]);
  grant(hello);
  expect(await outcomes()).toEqual(["admitted", 401]);
});
