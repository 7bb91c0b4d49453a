import { expect, test } from "vitest";
import { CliError } from "../../../src/errors/cli-error.ts";
import { EXIT_CODES } from "../../../src/errors/exit-codes.ts";
import { CHECK_NAMES } from "../../../src/commands/doctor/check-groups.ts";
import { runCli } from "../../helpers/command-line.ts";
import { readTable } from "../../helpers/markdown-table.ts";

test("docs/troubleshoot.md lists every check in order, with existing codes", () => {
  const rows = readTable("docs/troubleshoot.md", "Checks");
  expect(rows.map(([name]) => name)).toEqual(CHECK_NAMES);
  const codes = rows.flatMap(([, , , cell = ""]) => [...cell.matchAll(/[A-Z_]+/g)].map(([code]) => code));
  expect(codes.filter((code) => !(code in EXIT_CODES))).toEqual([]);
});

test("an unknown check is rejected with a suggestion", async () => {
  const { exitCode, stdout, stderr } = await runCli(["doctor", "node", "apls"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toMatch(/^Error: Unknown check "apls"\. \[USAGE\]\n  Did you mean apis\?/);
});

test("--verbose shows every check's details and every request, but no secret", async () => {
  const { exitCode, stdout, stderr } = await runCli(["doctor", "proxy", "network", "-v"], {
    env: { HTTPS_PROXY: "http://me:hunter2@127.0.0.1:1", NO_PROXY: "localhost" },
  });
  expect(exitCode).toBe(7);
  expect(stdout).toContain("proxy: 127.0.0.1:1");
  expect(stderr).toContain("GET https://www.googleapis.com/oauth2/v3/certs → ECONNREFUSED");
  expect(stdout + stderr).not.toContain("hunter2");
});

test("without any setting, the checks of the machine run, and the others are skipped or fail", async () => {
  const { exitCode, stdout } = await runCli(["doctor", "--json", "--max-time", "5m"], {
    env: { HTTPS_PROXY: "http://127.0.0.1:1", NO_PROXY: "localhost" },
  });
  const results = JSON.parse(stdout) as { readonly name: string; readonly status: string }[];
  expect(results.map(({ name }) => name)).toEqual(CHECK_NAMES);
  expect(results.filter(({ status }) => status === "fail").map(({ name }) => name)).toEqual([
    "network",
    "credentials",
    "deploy-credentials",
    "project",
  ]);
  expect(exitCode).toBe(7);
});

test("a group that is skipped for one reason is one line, unless --verbose is passed", async () => {
  const { stdout } = await runCli(["doctor", "policy", "caller"]);
  expect(stdout).toBe("Service\n  - No service specified. (policy, caller)\n\n0 passed, 0 warnings, 0 failed, 2 skipped\n");
  expect((await runCli(["doctor", "policy", "caller", "-v"])).stdout).toContain(
    "  - policy  No service specified.\n  - caller  No service specified.\n",
  );
});

test("Ctrl-C ends the checks", async () => {
  const signal = AbortSignal.abort(new CliError("INTERRUPTED", "Interrupted."));
  const { stdout, exitCode } = await runCli(["doctor"], { signal });
  expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 130 });
});

test("on GitHub Actions a failure is an annotation", async () => {
  const env = { GITHUB_ACTIONS: "true", CLOUDRUN_OAUTH_VIA: "gcloud" };
  const { stderr } = await runCli(["doctor", "gcloud"], { env });
  expect(stderr).toContain(
    "::error title=cloudrun-oauth GCLOUD_MISSING::1 of 1 checks failed: gcloud.%0ATo use the API instead:%0A  cloudrun-oauth config set via api",
  );
});
