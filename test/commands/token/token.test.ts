import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openCaller, verifiedClaims } from "../../helpers/caller.ts";
import { fakeGcloud, KNATIVE_SERVICE } from "../../helpers/command-line.ts";
import { EMAIL } from "../../helpers/key-file.ts";

const URL_OF_SERVICE = "https://hello-abc123-uc.a.run.app";

test("token prints a token for the service's URL, a newline, and nothing else", async () => {
  const { run } = await openCaller();
  const { exitCode, stdout, stderr } = await run(["token"], {
    env: { CLOUD_RUN_SERVICE_URL: `${URL_OF_SERVICE.replace("//", "//tag---")}/path` },
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  expect(verifiedClaims(`Bearer ${stdout.trimEnd()}`)).toMatchObject({ aud: URL_OF_SERVICE, email: EMAIL });
});

test("a service is named by its name, its URL, or a path, and the token is for its URL", async () => {
  const { run } = await openCaller();
  const line = "run services describe hello --project my-project --region us-central1 --quiet --format=json";
  const env = fakeGcloud({ line, stdout: JSON.stringify(KNATIVE_SERVICE) });
  const named = await run(["token", "hello", "-p", "my-project", "--json"], { env });
  expect(JSON.parse(named.stdout).audience).toBe(KNATIVE_SERVICE.status.url);
  const byUrl = await run(["token", `${URL_OF_SERVICE.replace("//", "//tag---")}/orders`, "--json"]);
  expect(JSON.parse(byUrl.stdout).audience).toBe(URL_OF_SERVICE);
  const byPath = await run(["token", "/orders", "--json"], { env: { CLOUD_RUN_SERVICE_URL: URL_OF_SERVICE } });
  expect(JSON.parse(byPath.stdout).audience).toBe(URL_OF_SERVICE);
});

test.for([
  [["hello", "--audience", "x"], '"hello" and --audience can\'t be used together.'],
  [["hello", "--url", URL_OF_SERVICE], "name different services"],
  [["hello.run.app"], 'Invalid target "hello.run.app"'],
] as const)("token %j is a usage error", async ([argv, message]) => {
  const { run } = await openCaller();
  expect(await run(["token", ...argv])).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(message) });
});

test("--json prints the token, its audience, its expiry and its claims", async () => {
  const { run } = await openCaller();
  const { stdout } = await run(["token", "--audience", "my-audience", "--json"]);
  const { token, ...rest } = JSON.parse(stdout);
  const claims = verifiedClaims(`Bearer ${token}`);
  expect(rest).toEqual({
    audience: "my-audience",
    expires_at: new Date(Number(claims?.["exp"]) * 1000).toISOString(),
    claims: { ...claims },
  });
});

test("on GitHub Actions the token is masked first, on stderr, even when quiet", async () => {
  const { run } = await openCaller();
  const { stdout, stderr } = await run(["token", "--audience", "my-audience", "--quiet"], { env: { GITHUB_ACTIONS: "true" } });
  expect(stderr).toBe(`::add-mask::${stdout}`);
});

test("token warns about an audience that Cloud Run wouldn't accept, and names the valid one", async () => {
  const { run } = await openCaller();
  for (const audience of [`${URL_OF_SERVICE}/path`, URL_OF_SERVICE.replace("//", "//tag---")]) {
    expect((await run(["token", "--audience", audience])).stderr).toBe(
      `Warning: Cloud Run expects the service URL as the audience, without a path or tag: ${URL_OF_SERVICE}\n`,
    );
  }
  expect((await run(["token", "--audience", `${URL_OF_SERVICE}/`])).stderr).toBe("");
});

test("--dry-run and --verbose show no token", async () => {
  const { run } = await openCaller();
  const planned = await run(["token", "--audience", "my-audience", "--dry-run"]);
  expect(JSON.parse(planned.stdout)).toEqual({
    method: "POST",
    url: "https://oauth2.googleapis.com/token",
    audience: "my-audience",
    principal: `serviceAccount:${EMAIL}`,
  });
  const { stderr } = await run(["token", "--audience", "my-audience", "--verbose"]);
  expect(stderr).toContain(`credential: serviceAccount:${EMAIL}`);
  expect(stderr).not.toContain("eyJ");
});

test("a key that the endpoint rejects is exit code 3 with nothing on stdout", async () => {
  const { run, identity } = await openCaller();
  identity.state.serviceAccounts.set(EMAIL, { ...identity.caller, disabled: true });
  expect(await run(["token", "--audience", "my-audience"])).toEqual({
    exitCode: 3,
    stdout: "",
    stderr: expect.stringContaining("[TOKEN_REFUSED]"),
  });
});

/** The number of requests to the token endpoint, from each run's `--verbose` output. */
function asked(...runs: readonly { stderr: string }[]): number {
  return runs.filter(({ stderr }) => stderr.includes("POST https://oauth2.googleapis.com/token → 200")).length;
}

test("a cached token is printed again, unless --no-cache or a longer --min-ttl is set", async () => {
  const { run, home } = await openCaller();
  const verbosely = (...argv: readonly string[]) => run(["token", "--audience", "my-audience", "--verbose", ...argv]);
  const [first, second] = [await verbosely(), await verbosely()];
  expect([second.stdout, asked(first, second)]).toEqual([first.stdout, 1]);
  expect(readdirSync(join(home, ".cache", "cloudrun-oauth", "tokens"))).toHaveLength(1);
  expect(asked(await verbosely("--no-cache"))).toBe(1);
  expect(asked(await verbosely("--min-ttl", "55m"))).toBe(0);
  expect(asked(await verbosely("--min-ttl", "1h"))).toBe(1);
  expect(await verbosely("--min-ttl", "61m")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("ID tokens are valid for at most 1h."),
  });
});

test("--no-cache leaves nothing on disk", async () => {
  const { run, home } = await openCaller();
  expect((await run(["token", "--audience", "my-audience", "--no-cache"])).exitCode).toBe(0);
  expect(existsSync(join(home, ".cache"))).toBe(false);
});

test("token revoke deletes the cached tokens and nothing else", async () => {
  const { run, home } = await openCaller();
  const folder = join(home, "caches", "cloudrun-oauth", "tokens");
  const env = { XDG_CACHE_HOME: join(home, "caches") };
  for (const audience of ["a", "b", "help"]) expect((await run(["token", "--audience", audience], { env })).stdout).toMatch(/^eyJ/);
  writeFileSync(join(home, "caches", "others"), "");
  expect(await run(["token", "revoke", "--dry-run"], { env })).toEqual({ exitCode: 0, stdout: `rm -r ${folder}\n`, stderr: "" });
  expect(await run(["token", "revoke"], { env })).toEqual({ exitCode: 0, stdout: `REMOVED\t3\nFOLDER\t${folder}\n`, stderr: "" });
  expect([existsSync(folder), existsSync(join(home, "caches", "others"))]).toEqual([false, true]);
  expect(JSON.parse((await run(["token", "revoke", "--json"], { env })).stdout)).toEqual({ removed: 0, folder });
});

test("--header prints a line for curl, and excludes --json", async () => {
  const { run } = await openCaller();
  const { stdout } = await run(["token", "--audience", "my-audience", "--header"]);
  expect(stdout).toMatch(/^Authorization: Bearer [\w-]+\.[\w-]+\.[\w-]+\n$/);
  expect(verifiedClaims(stdout.trimEnd().replace("Authorization: ", ""))).toMatchObject({ aud: "my-audience" });
  expect(await run(["token", "--audience", "my-audience", "--header", "--json"])).toMatchObject({ exitCode: 2, stdout: "" });
});
