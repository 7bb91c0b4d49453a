import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder, runCli } from "../../helpers/command-line.ts";

test("a setting is set, read, listed with its source, and removed", async () => {
  const env = { HOME: folder() };
  const cwd = folder();
  const cli = (...argv: string[]) => runCli(argv, { env, cwd });
  expect(await cli("config", "set", "project", "my-project")).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: "Set project to my-project in profile default.\n",
  });
  expect(await cli("config", "get", "project")).toEqual({ exitCode: 0, stdout: "my-project\n", stderr: "" });
  expect((await cli("config", "list")).stdout).toBe(
    "project\tmy-project\tprofile default\nregion\tus-central1\tdefault\ntemplate\thono\tdefault\nengine\tauto\tdefault\n",
  );
  expect(JSON.parse((await cli("config", "get", "project", "--json")).stdout)).toEqual({
    name: "project",
    value: "my-project",
    source: "profile default",
  });
  await cli("config", "unset", "project");
  expect((await cli("config", "get", "project")).exitCode).toBe(2);
});

test("profiles have separate settings", async () => {
  const env = { CLOUDRUN_OAUTH_CONFIG_DIR: join(folder(), "new", "folder") };
  const cli = (...argv: string[]) => runCli(argv, { env });
  await cli("config", "set", "region", "europe-west1");
  await cli("config", "use", "work");
  await cli("config", "set", "region", "asia-east1");
  expect((await cli("config", "get", "region")).stdout).toBe("asia-east1\n");
  expect((await cli("config", "get", "region", "--profile", "default")).stdout).toBe("europe-west1\n");
  expect(JSON.parse((await cli("config", "list", "--json")).stdout)).toMatchObject({ profile: "work", profiles: ["default", "work"] });
  expect(JSON.parse(readFileSync(join(env.CLOUDRUN_OAUTH_CONFIG_DIR, "config.json"), "utf8"))).toEqual({
    current: "work",
    profiles: { default: { region: "europe-west1" }, work: { region: "asia-east1" } },
  });
});

test("profiles are listed with their settings, and deleted", async () => {
  const env = { CLOUDRUN_OAUTH_CONFIG_DIR: folder() };
  const cli = (...argv: string[]) => runCli(["config", ...argv], { env });
  await cli("set", "region", "europe-west1");
  expect((await cli("use", "work")).stderr).toBe("Created profile work and switched to it.\n");
  await cli("set", "project", "my-project");
  await cli("set", "via", "api");
  expect((await cli("profiles")).stdout).toBe(" \tdefault\tregion=europe-west1\n*\twork\tproject=my-project via=api\n");

  expect(await cli("delete", "work")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("  To confirm, pass --yes.") });
  expect((await cli("use", "default")).stderr).toBe("Switched to profile default.\n");
  await cli("use", "work");
  expect(await cli("delete", "work", "--yes")).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: "Deleted profile work. Active profile: default.\n",
  });
  expect(JSON.parse((await cli("profiles", "--json")).stdout)).toEqual({
    profiles: [{ name: "default", current: true, settings: { region: "europe-west1" } }],
  });
  expect(await cli("delete", "work")).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('Profile "work" not found. [NOT_FOUND]'),
  });
});

test("--dry-run prints what would be written, and writes nothing", async () => {
  const env = { CLOUDRUN_OAUTH_CONFIG_DIR: folder({ "config.json": '{"current": "work", "profiles": {"work": {"via": "api"}}}' }) };
  const path = join(env.CLOUDRUN_OAUTH_CONFIG_DIR, "config.json");
  const before = readFileSync(path, "utf8");
  for (const [argv, line] of [
    [["set", "project", "my-project"], "set project to my-project in profile work in"],
    [["unset", "via"], "remove via from profile work in"],
    [["use", "play"], "create and use profile play in"],
    [["delete", "work"], "delete profile work in"],
  ] as const)
    expect(await runCli(["config", ...argv, "--dry-run"], { env })).toEqual({ exitCode: 0, stdout: `${line} ${path}\n`, stderr: "" });
  expect(readFileSync(path, "utf8")).toBe(before);
});

test("a relative path is stored as an absolute one", async () => {
  const [env, cwd] = [{ HOME: folder() }, folder()];
  await runCli(["config", "set", "credentials", "caller.json"], { env, cwd });
  expect((await runCli(["config", "get", "credentials"], { env })).stdout).toBe(`${join(cwd, "caller.json")}\n`);
});

test.for([
  [["get", "projekt"], 'Unknown setting "projekt". [USAGE]\n  Did you mean project?'],
  [["set", "x-y-z", "x"], 'Unknown setting "x-y-z". [USAGE]\n  Settings: project, '],
  [["set", "project", "No Good"], 'Invalid project "No Good". [SETTINGS_INVALID]\n  Use the project ID'],
  [["set", "via", "gclod"], 'Invalid via "gclod". [SETTINGS_INVALID]\n  Did you mean gcloud?'],
  [["use", "a/b"], 'Invalid profile name "a/b". [USAGE]'],
  [["get", "member"], "Setting member isn't set. [USAGE]\n  To set it:\n    cloudrun-oauth config set member MEMBER\n"],
  [["delete", "wrk"], 'Profile "wrk" not found. [NOT_FOUND]\n  Did you mean work?'],
  [["delete", "other"], 'Profile "other" not found. [NOT_FOUND]\n  Existing profiles: work.'],
  [["list", "--profile", "wrk"], 'Profile "wrk" not found. [SETTINGS_INVALID]\n  Did you mean work?'],
] as const)("config %j is rejected, with what helps", async ([argv, message]) => {
  const env = { CLOUDRUN_OAUTH_CONFIG_DIR: folder({ "config.json": '{"profiles": {"work": {}}}' }) };
  const { stdout, stderr } = await runCli(["config", ...argv], { env });
  expect({ stdout, stderr }).toEqual({ stdout: "", stderr: expect.stringContaining(`Error: ${message}`) });
});
