import { expect, test } from "vitest";
import { CliError } from "../../src/errors/cli-error.ts";

test("the reason is in the details too, for --json", () => {
  const error = new CliError("TOKEN_REFUSED", "Refused.", { reason: "KEY_UNKNOWN", details: { error: "invalid_grant" } });
  expect(error).toMatchObject({ reason: "KEY_UNKNOWN", details: { reason: "KEY_UNKNOWN", error: "invalid_grant" }, exitCode: 3 });
});

test("a copy keeps everything that isn't changed, and adds details", () => {
  const subject = { kind: "service", name: "hello" } as const;
  const error = new CliError("NOT_FOUND", "Not found.", { hint: "list", subject, cause: "cause", details: { service: "hello" } });
  expect(error.with({ hint: "deploy", details: { region: "us-central1" } })).toMatchObject({
    code: "NOT_FOUND",
    message: "Not found.",
    hint: "deploy",
    subject,
    cause: "cause",
    details: { service: "hello", region: "us-central1" },
  });
  expect(error.with({ message: "Gone." })).toMatchObject({ message: "Gone.", hint: "list" });
});
