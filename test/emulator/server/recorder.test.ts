import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ApiError } from "../../../src/emulator/server/errors.ts";
import { openRecorder } from "../../../src/emulator/server/recorder.ts";
import { jsonResponse, HttpResponse } from "../../../src/emulator/server/http-response.ts";
import type { Router } from "../../../src/emulator/server/router.ts";
import { temporaryDirectory } from "../../helpers/api-server.ts";
import { newcomer } from "../../helpers/bin.ts";
import { RECORDING } from "../../helpers/recording.ts";

/** Returns what is recorded of a request that the router answers. */
async function record(router: Router, url = "https://run.googleapis.com/v1/a?access_token=secret") {
  const file = join(temporaryDirectory(), "record.jsonl");
  const recorder = openRecorder(file);
  const target = new URL(url);
  await recorder
    .wrap(router)({ method: "GET" } as Parameters<Router>[0], target.host, target)
    .catch(() => undefined);
  recorder.close();
  const text = readFileSync(file, "utf8");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  return { text, line: JSON.parse(text) as Record<string, unknown> };
}

test("a line has the request, the status, and the types of the answer, but no value of it", async () => {
  const { text, line } = await record(async () =>
    jsonResponse({
      "@type": "type.googleapis.com/a.B",
      token: "ya29.secret",
      list: [{ a: "x" }, { a: "y" }, { b: 1 }],
      on: true,
      none: null,
    }),
  );
  expect(line).toEqual({
    method: "GET",
    url: "https://run.googleapis.com/v1/a",
    status: 200,
    answer: { "@type": "type.googleapis.com/a.B", token: "string", list: [{ a: "string" }, { b: "number" }], on: "boolean", none: "null" },
  });
  expect(text).not.toContain("secret");
});

test("a refusal has its status, a bug has 500, and an answer that isn't JSON is left out", async () => {
  const refuse: Router = async () => {
    throw new ApiError("NOT_FOUND", "Not here.");
  };
  const fail: Router = async () => {
    throw new TypeError("a bug");
  };
  const text: Router = async () => new HttpResponse(200, { "content-type": "text/plain" }, "{}");
  const lines = await Promise.all([refuse, fail, text].map((router) => record(router)));
  expect(lines.map(({ line: { status, answer } }) => ({ status, answer }))).toEqual([{ status: 404 }, { status: 500 }, { status: 200 }]);
});

test("CLOUDRUN_OAUTH_RECORD reaches the emulator of a command in another process", async () => {
  const user = newcomer();
  await user.run(["emulator", "exec", "--", "curl", "-sS", "https://run.googleapis.com/v1/projects/cloudrun-local/locations?key=secret"]);
  const lines = readFileSync(RECORDING, "utf8").split("\n").filter(Boolean);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
    expect.objectContaining({ method: "GET", url: "https://run.googleapis.com/v1/projects/cloudrun-local/locations", status: 401 }),
  );
});
