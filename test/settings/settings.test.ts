import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
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
  ['{\n  "project": "my-project",\n}', "FILE isn't valid JSON (line 3)."],
  ['{\n  "project": my-project\n}', "FILE isn't valid JSON (line 2)."],
  ['{\n\n"region": "us-central1",\n"project": my-project,\n"service": "hello"\n}', "FILE isn't valid JSON (line 4)."],
  ['{\n  "project": "my-project"', "FILE isn't valid JSON (line 2)."],
  ["", "FILE isn't valid JSON (line 1)."],
  ["[]", "FILE must contain a JSON object."],
  ['{\n  "project": 5\n}', 'Setting "project" in FILE must be a string (line 2).'],
  ['{\n  "service": "hello",\n  "projekt": "my-project"\n}', 'Unknown setting "projekt" in FILE (line 3).'],
  ['{\n  "region": "us-centrl1"\n}', 'Invalid region "us-centrl1" (from FILE, line 2).'],
] as const)("a project file that isn't valid is an error with its name and line: %j", ([text, message]) => {
  const cwd = folder({ "cloudrun-oauth.json": text });
  expect(() => openSettings({ flags: {}, env: { HOME: folder() }, cwd }).get("project")).toThrow(
    expect.objectContaining({ code: "SETTINGS_INVALID", message: message.replace("FILE", join(cwd, "cloudrun-oauth.json")) }),
  );
});

// json-schema.test.ts has the values that each rule accepts and rejects.
test.for<[SettingName, string, string, string]>([
  ["service", "Hello", 'Invalid service "Hello" (from --service).', "Use at most 49 lowercase letters, digits, and hyphens."],
  ["project", "123456789012", 'Invalid project "123456789012" (from --project).', "Use the project ID"],
  ["region", "US", 'Invalid region "US" (from --region).', "Use a region such as us-central1"],
  ["region", "us-central1-a", 'Invalid region "us-central1-a" (from --region).', "Did you mean us-central1?"],
  ["region", "us-centrl1", 'Invalid region "us-centrl1" (from --region).', "Did you mean us-central1?"],
  ["region", "europe-wets1", 'Invalid region "europe-wets1" (from --region).', "Did you mean europe-west1?"],
  ["url", "hello.run.app", 'Invalid URL "hello.run.app" (from --url).', "Use a URL such as"],
  ["via", "rest", 'Invalid value "rest" for --via.', "Allowed values: gcloud, api."],
])("%s %s is rejected with its source and what is valid", ([name, value, message, hint]) => {
  expect(() => openSettings({ flags: { [name]: value }, env: {}, cwd: "/" })).toThrow(
    expect.objectContaining({ code: "SETTINGS_INVALID", message, hint: expect.stringContaining(hint) }),
  );
});

test("a value from another source is checked when it is read, not before", () => {
  const settings = openSettings({ flags: {}, env: { PROJECT_ID: "BAD", HOME: folder() }, cwd: folder() });
  expect(settings.require("region")).toBe("us-central1");
  expect(() => settings.get("project")).toThrow('Invalid project "BAD" (from PROJECT_ID).');
});

test("the error for a missing setting says how to set it", () => {
  const settings = openSettings({ flags: {}, env: { HOME: folder() }, cwd: folder() });
  const missing = SETTING_NAMES.filter((name) => !settings.get(name));
  expect(missing).toEqual(["project", "service", "image", "credentials", "impersonate", "member", "url", "via"]);
  expect(() => settings.require("project")).toThrow(
    expect.objectContaining({
      code: "USAGE",
      message: "No project specified.",
      hint: "Use --project PROJECT or set GOOGLE_CLOUD_PROJECT. To use the local emulator instead, add --emulator.",
      next: [expect.objectContaining({ command: ["config", "set", "project", "PROJECT"] })],
    }),
  );
});

test("an argument has precedence over every source, and must obey the rule", () => {
  const settings = openSettings({ flags: { service: "by-flag" }, env: {}, cwd: "/" });
  expect(settings.require("service", "by-argument")).toBe("by-argument");
  expect(() => settings.require("service", "No Good")).toThrow('Invalid service "No Good".');
});

test("gcloud's files are found with CLOUDSDK_CONFIG and CLOUDSDK_ACTIVE_CONFIG_NAME", () => {
  const directory = folder({ active_config: "one", "configurations/config_two": "[core]\nproject: the-second\n" });
  const env = { HOME: folder(), CLOUDSDK_CONFIG: directory, CLOUDSDK_ACTIVE_CONFIG_NAME: "two" };
  expect(openSettings({ flags: {}, env, cwd: folder() }).get("project")).toEqual({
    value: "the-second",
    source: "gcloud configuration two",
  });
});
