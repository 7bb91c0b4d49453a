import { expect } from "vitest";
import { testBothBackEnds } from "../../helpers/both-back-ends.ts";
import { folder } from "../../helpers/command-line.ts";
import { HELLO, tinyService } from "../../helpers/emulator.ts";

const errorOf = (stderr: string) => JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as { error: { details: Record<string, string> } };

testBothBackEnds(({ testBackEnd, json, run, expectSame }) => {
  testBackEnd("an image is built into a repository that is created for it, and a build that fails says why", async () => {
    expectSame("built", await json(["build", folder(tinyService(HELLO)), "-s", "hello"]));
    const broken = folder({ Dockerfile: "FROM node:22-slim\nCOPY missing.js ./\n" });
    const { exitCode, stdout, stderr } = await run(["--json", "build", broken, "-s", "hello"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    const { error } = errorOf(stderr);
    const { log_end, ...details } = error.details;
    expect(log_end).toContain("missing.js");
    expectSame("failed", { ...error, details });
  });

  testBackEnd("a repository that the user names has to exist", async () => {
    const image = "us-central1-docker.pkg.dev/cloudrun-local/appz/hello";
    const { exitCode, stderr } = await run(["--json", "build", folder(tinyService(HELLO)), "--image", image]);
    expect(exitCode).toBe(4);
    expectSame("no repository", errorOf(stderr));
  });
});
