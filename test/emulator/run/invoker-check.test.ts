import { expect, test } from "vitest";
import { createService, replaceService } from "../../../src/emulator/run/services.ts";
import { openTestState, OWNER, PROJECT, signIn, testPlace } from "../../helpers/api-server.ts";
import { service } from "../../helpers/run-server.ts";

const DEVELOPER = `developer@${PROJECT}.iam.gserviceaccount.com`;
const OFF = { "run.googleapis.com/invoker-iam-disabled": "True" };
const refusal = expect.objectContaining({
  status: "PERMISSION_DENIED",
  message: expect.stringContaining("'run.services.setIamPolicy'"),
});

/** Writes the service `hello` as a given principal; a developer can do so, and act as the service's account, but can't change policies. */
function open() {
  const state = openTestState();
  signIn(state, DEVELOPER, "developer", "roles/run.developer");
  signIn(state, DEVELOPER, "developer", "roles/iam.serviceAccountUser");
  const place = testPlace(state);
  const write = (email: string, annotations: Record<string, string>) => {
    const principal = { member: `serviceAccount:${email}`, email, scopes: [] };
    const request = { place, principal, dryRun: false, body: service({ annotations }) };
    const runtime = { state, now: Date.now };
    return state.services.get(`${PROJECT}/us-central1/hello`)
      ? replaceService(runtime, { ...request, name: "hello" })
      : createService(runtime, request);
  };
  return { write, state };
}

test("only principals who can set the policy can turn the invoker check off and on", () => {
  const { write } = open();
  expect(() => write(DEVELOPER, OFF)).toThrow(refusal);
  write(DEVELOPER, {});
  expect(() => write(DEVELOPER, OFF)).toThrow(refusal);
  write(OWNER, OFF);
  expect(write(DEVELOPER, OFF).metadata.generation).toBe(3);
  expect(() => write(DEVELOPER, {})).toThrow(refusal);
  write(OWNER, {});
});

test("if the organization requires the check, no one can turn it off, and it can still be turned on", () => {
  const { write, state } = open();
  const constraint = "constraints/run.managed.requireInvokerIam";
  write(OWNER, OFF);
  state.orgPolicies.set(`${PROJECT}/${constraint}`, { constraint, etag: "", updateTime: "", booleanPolicy: { enforced: true } });
  expect(write(OWNER, OFF).metadata.generation).toBe(2);
  write(OWNER, {});
  expect(() => write(OWNER, OFF)).toThrow(
    expect.objectContaining({ status: "FAILED_PRECONDITION", message: expect.stringContaining(constraint) }),
  );
});
