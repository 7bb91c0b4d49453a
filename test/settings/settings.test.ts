import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CliError } from "../../src/errors/cli-error.ts";
import { SETTING_NAMES, type SettingName } from "../../src/settings/setting-sources.ts";
import { openSettings } from "../../src/settings/settings.ts";
import { folder } from "../helpers/command-line.ts";

/** Every place that a setting can come from, the first that counts first. */
function everywhere() {
  const home = folder({
    ".config/cloudrun-oauth/config.json": JSON.stringify({
      current: "work",
      profiles: { work: { project: "from-profile", region: "europe-west4" } },
    }),
    ".config/gcloud/active_config": "mine",
    ".config/gcloud/configurations/config_mine": "[core]\naccount = me@example.com\nproject = from-gcloud\n\n[run]\nregion = asia-east1\n",
  });
  const cwd = folder({ "cloudrun-oauth.json": JSON.stringify({ project: "from-file", region: "europe-west3" }) });
  return {
    home,
    cwd,
    env: { HOME: home, PROJECT_ID: "from-variable", GOOGLE_CLOUD_REGION: "europe-west2" },
    flags: { project: "from-flag", region: "europe-west1" },
  };
}

test("a flag has precedence over environment, project file, profile, gcloud's configuration, and default", () => {
  const { home, cwd, env, flags } = everywhere();
  const empty = folder();
  const found = [
    openSettings({ flags, env, cwd }),
    openSettings({ flags: {}, env, cwd }),
    openSettings({ flags: {}, env: { HOME: home }, cwd }),
    openSettings({ flags: {}, env: { HOME: home }, cwd: empty }),
    openSettings({ flags: { profile: "default" }, env: { HOME: home }, cwd: empty }),
    openSettings({ flags: {}, env: { HOME: folder() }, cwd: empty }),
  ].map((settings) => [settings.get("project"), settings.get("region")]);
  const file = join(cwd, "cloudrun-oauth.json");
  expect(found).toEqual([
    [
      { value: "from-flag", source: "--project" },
      { value: "europe-west1", source: "--region" },
    ],
    [
      { value: "from-variable", source: "PROJECT_ID" },
      { value: "europe-west2", source: "GOOGLE_CLOUD_REGION" },
    ],
    [
      { value: "from-file", source: file },
      { value: "europe-west3", source: file },
    ],
    [
      { value: "from-profile", source: "profile work" },
      { value: "europe-west4", source: "profile work" },
    ],
    [
      { value: "from-gcloud", source: "gcloud configuration mine" },
      { value: "asia-east1", source: "gcloud configuration mine" },
    ],
    [undefined, { value: "us-central1", source: "default" }],
  ]);
});

test.for<[SettingName, readonly string[], string]>([
  ["project", ["CLOUDRUN_OAUTH_PROJECT", "PROJECT_ID", "GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"], "my-project"],
  ["region", ["CLOUDRUN_OAUTH_REGION", "GOOGLE_CLOUD_REGION", "CLOUDSDK_RUN_REGION"], "europe-west1"],
  ["service", ["CLOUDRUN_OAUTH_SERVICE", "SERVICE_NAME"], "hello"],
  ["credentials", ["CLOUDRUN_OAUTH_CREDENTIALS", "CREDS", "GOOGLE_APPLICATION_CREDENTIALS"], "/keys/caller.json"],
  ["member", ["CLOUDRUN_OAUTH_MEMBER", "SERVICE_ACCOUNT_EMAIL"], "me@example.com"],
  ["url", ["CLOUDRUN_OAUTH_URL", "CLOUD_RUN_SERVICE_URL"], "https://hello-abc123-uc.a.run.app"],
  ["via", ["CLOUDRUN_OAUTH_VIA"], "api"],
])("%s is read from its variables in order, and an empty one is ignored", ([name, variables, value]) => {
  const [home, cwd] = [folder(), folder()];
  for (const [index, source] of variables.entries()) {
    const earlier = Object.fromEntries(variables.slice(0, index).map((variable) => [variable, ""]));
    const later = Object.fromEntries(variables.slice(index + 1).map((variable) => [variable, "OTHER"]));
    const settings = openSettings({ flags: {}, cwd, env: { HOME: home, ...earlier, ...later, [source]: value } });
    expect(settings.get(name)).toEqual({ value, source });
  }
});

test("the project file is found from folders below it, and its paths are relative to it", () => {
  const project = folder({ "cloudrun-oauth.json": '{"service": "hello", "credentials": "keys/caller.json"}' });
  const below = join(project, "src", "deep");
  mkdirSync(below, { recursive: true });
  const settings = openSettings({ flags: {}, env: { HOME: folder() }, cwd: below });
  expect(settings.get("service")?.value).toBe("hello");
  expect(settings.get("credentials")?.value).toBe(join(project, "keys/caller.json"));
  expect(openSettings({ flags: { credentials: "mine.json" }, env: {}, cwd: below }).get("credentials")?.value).toBe(
    join(below, "mine.json"),
  );
});

test.for([
  ['{\n  "project": "my-project",\n}', 3, "it is not JSON"],
  ['{\n  "project": my-project\n}', 2, "it is not JSON"],
  ['{\n\n"region": "us-central1",\n"project": my-project,\n"service": "hello"\n}', 4, "it is not JSON"],
  ['{\n  "project": "my-project"', 2, "it is not JSON"],
  ["", 1, "it is not JSON"],
  ["[]", 1, "it has to be an object"],
  ['{\n  "project": 5\n}', 2, '"project" has to be a string'],
  ['{\n  "service": "hello",\n  "projekt": "my-project"\n}', 3, 'there is no setting "projekt"'],
] as const)("a project file that isn't valid is an error with its name and line: %j", ([text, line, what]) => {
  const cwd = folder({ "cloudrun-oauth.json": text });
  const error = failure(() => openSettings({ flags: {}, env: { HOME: folder() }, cwd }).get("project"));
  expect(error.code).toBe("SETTINGS_INVALID");
  expect(error.message).toContain(`${join(cwd, "cloudrun-oauth.json")}, line ${line}: ${what}`);
});

test.for<[SettingName, string]>([
  ["service", "Hello"],
  ["service", "1hello"],
  ["service", "hello-"],
  ["service", "hello_world"],
  ["service", "a".repeat(50)],
  ["project", "short"],
  ["project", "My Project"],
  ["project", "123456789012"],
  ["project", "a".repeat(31)],
  ["region", "us-central1-a"],
  ["region", "US"],
  ["region", "us-centrl1"],
  ["region", "europe-wets1"],
  ["image", "us-central1-docker.pkg.dev/P/R/i"],
  ["image", "--help"],
  ["url", "hello.run.app"],
  ["via", "terraform"],
])("%s %s is refused with the rule and the source", ([name, value]) => {
  const error = failure(() => openSettings({ flags: { [name]: value }, env: {}, cwd: "/" }));
  expect(error.code).toBe("SETTINGS_INVALID");
  expect(error.message).toMatch(new RegExp(`^"${value.replaceAll("/", "\\/")}" cannot be the ${name}: an? ${name === "via" ? "way" : ""}`));
  const meant: Readonly<Record<string, string>> = {
    "us-central1-a": "us-central1",
    "us-centrl1": "us-central1",
    "europe-wets1": "europe-west1",
  };
  expect(error.hint).toBe(`${meant[value] ? `Did you mean ${meant[value]}? ` : ""}It comes from --${name}.`);
});

test.for<[SettingName, string]>([
  ["service", "a"],
  ["service", "a".repeat(49)],
  ["project", "example.com:my-project"],
  ["region", "northamerica-northeast2"],
  ["region", "europe-west12"],
  ["region", "europe-northwest7"],
  ["image", "gcr.io/my-project/hello:v1.2"],
  ["image", "europe-docker.pkg.dev/example.com/my-project/apps/hello@sha256:" + "0".repeat(64)],
  ["url", "http://127.0.0.1:8080/path"],
])("%s %s is valid", ([name, value]) => {
  expect(openSettings({ flags: { [name]: value }, env: {}, cwd: "/" }).get(name)?.value).toBe(value);
});

test("a value from another source is checked when it is read, not before", () => {
  const settings = openSettings({ flags: {}, env: { PROJECT_ID: "BAD", HOME: folder() }, cwd: folder() });
  expect(settings.require("region")).toBe("us-central1");
  expect(failure(() => settings.get("project")).hint).toBe("It comes from PROJECT_ID.");
});

test("the error for a missing setting says how to set it", () => {
  const settings = openSettings({ flags: {}, env: { HOME: folder() }, cwd: folder() });
  const missing = SETTING_NAMES.filter((name) => !settings.get(name));
  expect(missing).toEqual(["project", "service", "image", "credentials", "impersonate", "member", "url", "via"]);
  const error = failure(() => settings.require("project"));
  expect([error.code, error.hint]).toEqual([
    "USAGE",
    "Say --project PROJECT, set CLOUDRUN_OAUTH_PROJECT, or keep it: cloudrun-oauth config set project PROJECT",
  ]);
});

test("an argument has precedence over every source, and must obey the rule", () => {
  const settings = openSettings({ flags: { service: "by-flag" }, env: {}, cwd: "/" });
  expect(settings.require("service", "by-argument")).toBe("by-argument");
  expect(failure(() => settings.require("service", "No Good")).code).toBe("SETTINGS_INVALID");
});

test("gcloud's files are found with CLOUDSDK_CONFIG and CLOUDSDK_ACTIVE_CONFIG_NAME", () => {
  const directory = folder({ active_config: "one", "configurations/config_two": "[core]\nproject: the-second\n" });
  const env = { HOME: folder(), CLOUDSDK_CONFIG: directory, CLOUDSDK_ACTIVE_CONFIG_NAME: "two" };
  expect(openSettings({ flags: {}, env, cwd: folder() }).get("project")).toEqual({
    value: "the-second",
    source: "gcloud configuration two",
  });
});

test("a profile that doesn't exist is refused, with the existing ones", () => {
  const home = folder({ ".config/cloudrun-oauth/config.json": JSON.stringify({ profiles: { work: {}, play: {} } }) });
  const error = failure(() => openSettings({ flags: { profile: "wrok" }, env: { HOME: home }, cwd: folder() }).get("project"));
  expect([error.code, error.message]).toEqual(["SETTINGS_INVALID", 'There is no profile "wrok": there are work, play.']);
});

function failure(work: () => unknown): CliError {
  try {
    work();
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
  throw new Error("Nothing was thrown.");
}
