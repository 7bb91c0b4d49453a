import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { testBothBackEnds } from "../../helpers/both-back-ends.ts";
import { folder } from "../../helpers/command-line.ts";
import { HELLO, tinyService } from "../../helpers/emulator.ts";

const CALLER = "caller@cloudrun-local.iam.gserviceaccount.com";
const IMAGE = "gcr.io/cloudrun-local/nope";
const REGISTRY = "us-central1-docker.pkg.dev/cloudrun-local";

/** Commands that fail, and their exit codes. */
const commands = (): readonly (readonly [exitCode: number, argv: readonly string[]])[] => [
  [4, ["describe", "nobody", "--url"]],
  [4, ["logs", "nobody"]],
  [4, ["members", "nobody"]],
  [4, ["revoke", "hello", "--member", "user:me@example.com"]],
  [5, ["-p", "some-other-project", "describe", "hello", "--url"]],
  [2, ["deploy", "new", "--image", IMAGE, "--no-traffic"]],
  [4, ["deploy", "new", "--image", IMAGE]],
  [4, ["-r", "mars-north1", "deploy", "new", "--image", IMAGE]],
  [4, ["build", folder(tinyService(HELLO)), "--image", `${REGISTRY}/appz/hello`]],
  [1, ["build", folder({ Dockerfile: "FROM node:22-slim\nCOPY missing.js ./\n" }), "--image", `${REGISTRY}/cloudrun-oauth/hello`]],
  [4, ["keys", "list", "--account", "no-such-account"]],
  [4, ["keys", "delete", "0123456789abcdef0123456789abcdef01234567", "--account", CALLER, "--yes"]],
];

testBothBackEnds(({ testBackEnd, failure, expectSame, emulator }) => {
  testBackEnd("commands fail with the same errors", async () => {
    await emulator().deploy("hello", tinyService(HELLO));
    for (const [exitCode, argv] of commands()) {
      const error = await failure(argv);
      expect({ argv, exitCode: error["exit_code"] }).toEqual({ argv, exitCode });
      const { log_end = "missing.js", ...details } = error["details"];
      expect(log_end).toContain("missing.js");
      expectSame(argv.join(" "), { ...error, details });
    }
  });

  testBackEnd("a key that the organization doesn't allow leaves no file", async () => {
    const cwd = folder();
    const policy = { constraint: "constraints/iam.disableServiceAccountKeyCreation", booleanPolicy: { enforced: true } };
    const path = "/v1/projects/cloudrun-local:setOrgPolicy";
    await emulator().request("POST", "cloudresourcemanager.googleapis.com", path, { body: { policy } });
    const error = await failure(["keys", "create", "--account", CALLER], { cwd });
    expect([existsSync(join(cwd, "caller.json")), readdirSync(cwd)]).toEqual([false, []]);
    expect(error).toMatchObject({ code: "ORG_POLICY", exit_code: 5, details: { reason: "KEY_CREATION_FORBIDDEN" } });
    expectSame("forbidden", error);
  });
});
