import { expect, onTestFinished, test } from "vitest";
import { openCodeReceiver } from "../../../src/commands/login/receive-code.ts";
import { CliError } from "../../../src/errors/cli-error.ts";
import { failure } from "../../helpers/failure.ts";

async function open() {
  const receiver = await openCodeReceiver("our-state");
  onTestFinished(() => receiver.close());
  const get = async (query: string, init?: RequestInit) => {
    const response = await fetch(`${receiver.redirectUri}${query}`, init);
    return [response.status, await response.text()] as const;
  };
  return { receiver, get };
}

test("requests without the state of the sign-in are rejected, and the wait goes on until the code arrives, once", async () => {
  const { receiver, get } = await open();
  const code = receiver.wait(new AbortController().signal);
  for (const query of ["", "?code=evil", "?code=evil&state=other-one", "?error=access_denied&state="]) {
    expect((await get(query))[0]).toBe(400);
  }
  expect((await get("favicon.ico"))[0]).toBe(404);
  expect((await get("?code=ours&state=our-state", { method: "POST" }))[0]).toBe(404);
  expect(await get("?code=ours&state=our-state")).toEqual([200, expect.stringContaining("Signed in.")]);
  expect(await code).toBe("ours");
  expect(await get("?code=second&state=our-state")).toEqual([400, expect.stringContaining("already ended")]);
});

test.for([
  ["error=access_denied", "Sign-in was denied."],
  ["error=admin_policy_enforced", "Sign-in failed: admin_policy_enforced."],
  ["error=%3Cscript%3E", "Sign-in failed: invalid response."],
  ["", "Sign-in failed: invalid response."],
] as const)("a response with %o instead of a code ends the wait", async ([query, message]) => {
  const { receiver, get } = await open();
  const failed = failure(receiver.wait(new AbortController().signal));
  expect(await get(`?state=our-state&${query}`)).toEqual([200, expect.stringContaining("Sign-in was canceled.")]);
  expect(await failed).toMatchObject({ code: "TOKEN_REFUSED", message });
});

test("the signal ends the wait with its reason", async () => {
  const { receiver } = await open();
  const controller = new AbortController();
  const failed = failure(receiver.wait(controller.signal));
  const reason = new CliError("INTERRUPTED", "Interrupted.");
  controller.abort(reason);
  expect(await failed).toBe(reason);
});
