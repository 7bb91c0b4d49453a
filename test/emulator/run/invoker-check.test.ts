import { expect, test } from "vitest";
import { createService, replaceService } from "../../../src/emulator/run/services.ts";
import { openTestState, OWNER, PROJECT, signIn } from "../../helpers/api-server.ts";
import { service } from "../../helpers/run-server.ts";

const DEVELOPER = `developer@${PROJECT}.iam.gserviceaccount.com`;
const OFF = { "run.googleapis.com/invoker-iam-disabled": "True" };
const refusal = expect.objectContaining({
  status: "PERMISSION_DENIED",
  message: expect.stringContaining("'run.services.setIamPolicy'"),
});

/** Writes the service `hello` as somebody; a developer may do so, and act as the service's account, but change no policy. */
function open() {
  const state = openTestState();
  signIn(state, DEVELOPER, "developer", "roles/run.developer");
  signIn(state, DEVELOPER, "developer", "roles/iam.serviceAccountUser");
  const project = state.projects.get(PROJECT);
  if (!project) throw new Error("The state has no project");
  const place = { project, region: "us-central1" };
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

test("the invoker check is switched off and on by those who may set the policy, and left alone by others", () => {
  const { write } = open();
  expect(() => write(DEVELOPER, OFF)).toThrow(refusal);
  write(DEVELOPER, {});
  expect(() => write(DEVELOPER, OFF)).toThrow(refusal);
  write(OWNER, OFF);
  expect(write(DEVELOPER, OFF).metadata.generation).toBe(3);
  expect(() => write(DEVELOPER, {})).toThrow(refusal);
  write(OWNER, {});
});

test("where the organisation wants the check on, nobody switches it off, and who had it off may switch it on", () => {
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
