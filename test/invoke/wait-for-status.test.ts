import { Readable } from "node:stream";
import { expect, test } from "vitest";
import type { CallResult } from "../../src/invoke/authenticated-call.ts";
import { waitForStatus } from "../../src/invoke/wait-for-status.ts";
import { CliError } from "../../src/errors/cli-error.ts";
import { failure } from "../helpers/failure.ts";

const refused = new CliError("NOT_AUTHORIZED", "No role.", { hint: "grant" });

function answer(status: number, error?: CliError): CallResult {
  const response = {
    status,
    headers: {},
    statusText: "",
    cookies: [],
    body: Readable.from([]),
    bytes: async () => Buffer.alloc(0),
    text: async () => "",
    json: async () => null,
  };
  return { url: new URL("https://hello.example.test/"), response, principal: undefined, elapsed: () => 0, error };
}

function calls(...outcomes: readonly (CallResult | CliError)[]) {
  let made = 0;
  return async () => {
    const outcome = outcomes[Math.min(made, outcomes.length - 1)] as CallResult | CliError;
    made += 1;
    if (outcome instanceof CliError) throw outcome;
    return outcome;
  };
}

const quiet = { signal: new AbortController().signal, tell: () => {} };

test("the awaited status arrives after other statuses and failures, and each new reason is reported once", async () => {
  const notes: string[] = [];
  const call = calls(new CliError("UNAVAILABLE", "No way."), answer(403, refused), answer(403, refused), answer(302), answer(204));
  expect((await waitForStatus("2xx", call, { ...quiet, tell: (text) => notes.push(text) })).response.status).toBe(204);
  expect(notes).toEqual(["No way.", "No role.", "Service returned 302."]);
});

test("a refusal with the awaited status isn't an error", async () => {
  expect(await waitForStatus("403", calls(answer(200), answer(403, refused)), quiet)).toMatchObject({
    response: { status: 403 },
    error: undefined,
  });
});

test("after the timeout, the last result is an error with its status and a hint", async () => {
  const { response, error } = await waitForStatus("200", calls(answer(403, refused)), { ...quiet, timeoutMs: -1 });
  expect([response.status, error]).toEqual([
    403,
    expect.objectContaining({ code: "TIMEOUT", message: expect.stringMatching(/No role\.$/), hint: "grant" }),
  ]);
  const unreachable = waitForStatus("200", calls(new CliError("UNAVAILABLE", "No way.")), { ...quiet, timeoutMs: -1 });
  expect(await failure(unreachable)).toMatchObject({ code: "TIMEOUT", message: expect.stringMatching(/No way\.$/) });
});

test("a refused credential ends the wait", async () => {
  const error = new CliError("TOKEN_REFUSED", "No.");
  expect(await failure(waitForStatus("200", calls(error), quiet))).toBe(error);
});
