import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SCHEMA_URL } from "../../../src/settings/json-schema.ts";
import { folder, runCli } from "../../helpers/command-line.ts";

test("a service gets its folder's name, and the settings of the flags", async () => {
  const cwd = folder();
  const argv = ["init", "My_Service", "--template", "flask", "-p", "my-project", "-r", "europe-west1"];
  const { exitCode, stdout, stderr } = await runCli(argv, { cwd });
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${join(cwd, "My_Service")}\n` });
  expect(stderr).toContain(
    "To go to its directory:\n    cd My_Service\n  To deploy to Google Cloud:\n    cloudrun-oauth up -p my-project -r europe-west1\n",
  );
  expect(JSON.parse(readFileSync(join(cwd, "My_Service", "cloudrun-oauth.json"), "utf8"))).toEqual({
    $schema: SCHEMA_URL,
    service: "my-service",
    template: "flask",
    project: "my-project",
    region: "europe-west1",
  });
  expect(readdirSync(join(cwd, "My_Service"))).toContain("Dockerfile");
  expect(stderr).toContain("    cloudrun-oauth up --emulator -r europe-west1\n");
  // The next steps are for the shell's own directory, not for that of --cwd.
  const inside = await runCli(["init", "-C", "empty"], { cwd: folder({ "empty/.git/HEAD": "" }) });
  expect(inside.stderr).toContain("    cd empty\n  To deploy to Google Cloud:\n    cloudrun-oauth up --project PROJECT_ID\n");
});

test("--json prints the files and their folder", async () => {
  const cwd = folder();
  const { stdout } = await runCli(["init", "--service", "hello", "--yes", "--json"], { cwd });
  const written = JSON.parse(stdout) as { files: string[] };
  expect(written).toEqual({
    service: "hello",
    template: "hono",
    directory: cwd,
    files: expect.arrayContaining(["Dockerfile", "cloudrun-oauth.json"]),
  });
  expect(written.files).toHaveLength(readdirSync(cwd).length);
});

test("later commands find the settings, in the folder and below it", async () => {
  const cwd = folder();
  await runCli(["init", "hello", "-p", "my-project"], { cwd });
  const { stdout } = await runCli(["config", "list"], { cwd: join(cwd, "hello") });
  expect(stdout).toContain(`service\thello\t${join(cwd, "hello", "cloudrun-oauth.json")}\n`);
});

test("--dry-run writes nothing", async () => {
  const cwd = folder();
  const { stdout } = await runCli(["init", "hello", "--dry-run"], { cwd });
  expect(stdout).toBe(`write ${join(cwd, "hello")} from the template hono, as service hello\n`);
  expect(readdirSync(cwd)).toEqual([]);
});

test.for([
  [["--template", "django"], 'Unknown template "django"'],
  [["full"], "isn't empty: it contains something"],
  [["1st"], 'Invalid service "1st"'],
] as const)("init %j fails and writes nothing", async ([argv, message]) => {
  const cwd = folder({ "full/something": "" });
  const { exitCode, stdout, stderr } = await runCli(["init", ...argv], { cwd: argv[0] === "--template" ? join(cwd, "new") : cwd });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain(message);
  expect(readdirSync(cwd)).toEqual(["full"]);
});
