import { expect, test } from "vitest";
import { checkAccess } from "../../../src/emulator/front-door/check-access.ts";
import { iapClient } from "../../../src/emulator/front-door/iap.ts";
import { setPolicy } from "../../../src/emulator/iam/policy.ts";
import { PROJECT } from "../../helpers/api-server.ts";
import { NOW } from "../../helpers/identity.ts";
import { idTokenOf, openService } from "../../helpers/service-call.ts";

async function openGuarded() {
  const hello = await openService({ "run.googleapis.com/iap-enabled": "true" });
  const { host } = new URL(hello.url);
  const client = iapClient(hello.place.project);
  const call = (...rawHeaders: readonly string[]) => checkAccess(hello, { host, path: "/orders?a=1", rawHeaders, isInternal: false });
  const bearer = (token: string) => ["Authorization", `Bearer ${token}`];
  const letIn = () =>
    setPolicy(hello.state, `projects/${PROJECT}`, {
      bindings: [{ role: "roles/iap.httpsResourceAccessor", members: [`serviceAccount:${hello.caller.email}`] }],
    });
  return { ...hello, host, client, checkAccess: call, bearer, letIn };
}

test("a caller without a credential is redirected to sign in, with the client that the token must be for", async () => {
  const { checkAccess, client } = await openGuarded();
  const { refusal } = await checkAccess();
  expect(refusal).toMatchObject({ status: 302, headers: { "x-goog-iap-generated-response": "true" } });
  const location = new URL(refusal?.headers["location"] ?? "");
  expect([location.host, location.searchParams.get("client_id")]).toEqual(["accounts.google.com", client]);
});

test("a caller needs a token for IAP's client and IAP's role, and the service's own policy doesn't matter", async () => {
  const { checkAccess, bearer, client, caller, letIn } = await openGuarded();
  const token = idTokenOf(caller, client);
  expect((await checkAccess(...bearer(token))).refusal).toMatchObject({
    status: 403,
    headers: { "x-goog-iap-generated-response": "true" },
  });
  letIn();
  const { refusal, rawHeaders } = (await checkAccess(
    "Proxy-Authorization",
    `Bearer ${token}`,
    "X-Goog-Authenticated-User-Email",
    "forged",
    "A",
    "b",
  )) as {
    refusal?: undefined;
    rawHeaders: readonly string[];
  };
  expect(refusal).toBeUndefined();
  expect(rawHeaders).toEqual([
    "A",
    "b",
    "X-Goog-Authenticated-User-Email",
    `accounts.google.com:${caller.email}`,
    "X-Goog-Authenticated-User-Id",
    `accounts.google.com:${caller.uniqueId}`,
  ]);
});

test("an invalid credential is rejected in IAP's words", async () => {
  const { checkAccess, bearer, client, caller, letIn, url } = await openGuarded();
  letIn();
  const said = async (token: string) => {
    const { refusal } = await checkAccess(...bearer(token));
    return [refusal?.status, refusal?.body];
  };
  expect(await said(idTokenOf(caller, client, { email: undefined }))).toEqual([
    401,
    "Invalid IAP credentials: JWT 'email' claim isn't a string",
  ]);
  expect(await said(idTokenOf(caller, url))).toEqual([401, expect.stringContaining(`doesn't match expected value (${client})`)]);
  expect(await said(idTokenOf(caller, client, { exp: NOW - 1 }))).toEqual([401, expect.stringContaining("Invalid IAP credentials: ")]);
  expect(await said("nonsense")).toEqual([401, "Invalid IAP credentials: Unable to parse JWT"]);
});
