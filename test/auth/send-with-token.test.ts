import { expect, test } from "vitest";
import { unauthorized } from "../../src/emulator/front-door/error-pages.ts";
import { openCaller, serveService, verifiedClaims } from "../helpers/caller.ts";

test("a cached token that the front end rejects is replaced once; with a new token or a streamed body there is no second call", async () => {
  const { run } = await openCaller();
  const seen: (string | undefined)[] = [];
  let refusals = 0;
  const url = await serveService((request, response) => {
    seen.push(request.headers.authorization);
    request.resume();
    const { status, headers, body } = unauthorized("/");
    if (refusals-- > 0) return void response.writeHead(status, headers).end(body);
    response.end("[]");
  });
  expect((await run(["invoke", "--url", url])).exitCode).toBe(0);
  refusals = 1;
  expect((await run(["invoke", "--url", url, "-d", "text"])).exitCode).toBe(0);
  expect([seen.length, seen[1]]).toEqual([3, seen[0]]);
  expect(verifiedClaims(seen[2])).toMatchObject({ aud: url });
  refusals = 2;
  expect((await run(["invoke", "--url", url, "--no-cache"])).exitCode).toBe(9);
  expect([seen.length, refusals]).toEqual([4, 1]);
  expect((await run(["invoke", "--url", url, "-d", "@-"], { stdin: "x".repeat(2_000_000) })).exitCode).toBe(9);
  expect(seen).toHaveLength(5);
});
