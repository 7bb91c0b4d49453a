import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { impersonationUrl, openCredentialWorld, PERSON } from "../helpers/credential-world.ts";
import { workingCredentials } from "../helpers/credential-kinds.ts";
import { brokenCredentials } from "../helpers/broken-credentials.ts";
import { readTable } from "../helpers/markdown-table.ts";

const world = await openCredentialWorld(afterAll);
const { run, url } = world;
const PAGE = "docs/credentials.md";
const working = await workingCredentials(world);
const broken = await brokenCredentials(world);
const SECRET = /eyJ[\w-]{10}|1\/\/0[\w-]{10}|ya29\.|PRIVATE KEY|AKID|[A-Za-z0-9+]{50}/;

test("the tests cover every credential type and every failure on the page", () => {
  expect(Object.keys(working)).toEqual(readTable(PAGE, "Supported types").map(([kind]) => kind));
  expect(Object.keys(broken)).toEqual(readTable(PAGE, "Error reference").map(([kind, fault]) => `${kind}: ${fault}`));
});

test.for(readTable(PAGE, "Supported types").map(([kind = ""]) => kind))(
  "%s: token gets one, and invoke gets 200",
  { timeout: 60_000 },
  async (kind) => {
    const { flags = [], env = {}, email, audience = url } = working[kind] ?? expect.unreachable();
    const got = await run(["token", url, "--json", ...flags], env);
    expect({ ...got, stdout: got.exitCode === 0 ? "" : got.stdout }).toMatchObject({ exitCode: 0, stdout: "" });
    expect(JSON.parse(got.stdout)).toMatchObject({
      claims: { email, email_verified: true, aud: audience, iss: "https://accounts.google.com" },
    });

    const called = await run(["invoke", url, "--include", "--verbose", ...flags], env);
    expect({ exitCode: called.exitCode, stderr: called.exitCode === 0 ? "" : called.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(JSON.parse(called.stdout)).toMatchObject({
      status_code: 200,
      response: { email },
      audience,
      principal: expect.stringContaining(`:${email}`),
    });
    expect(called.stderr).toContain("credential: ");
    expect(called.stderr).not.toMatch(SECRET);

    const planned = await run(["invoke", url, "--dry-run", ...flags], env);
    expect(planned.exitCode).toBe(0);
    expect(planned.stdout + planned.stderr).not.toMatch(SECRET);
  },
);

test.for(readTable(PAGE, "Error reference"))("%s, %s: %s", { timeout: 60_000 }, async ([kind, fault, code, sentence = ""]) => {
  const { flags = [], env = {} } = (await broken[`${kind}: ${fault}`]?.()) ?? expect.unreachable();
  const { exitCode, stdout, stderr } = await run(["token", url, ...flags], env);
  expect({ exitCode, stdout }).toEqual({ exitCode: code === "UNAVAILABLE" ? 7 : 3, stdout: "" });
  const [first = ""] = stderr.split("\n");
  const pattern = sentence.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  expect(first).toMatch(new RegExp(`^Error: ${pattern.join(".+")} \\[${code}\\]$`));
  expect(stderr.replaceAll(world.folder, "")).not.toMatch(SECRET);
  expect(stderr).not.toMatch(/\n\s+at /);
});

test("credentials are searched in the documented order", { timeout: 60_000 }, async () => {
  const emails = ["flag", "json", "own", "creds", "google", "other", "folder", "profile", "adc", "gcloud"];
  const keys: Record<string, string> = {};
  for (const name of emails) keys[name] = world.write(`order/${name}.json`, await world.key(await world.account(`place-${name}`)));
  const gcloud = join(world.folder, "order/gcloud");
  world.write("order/gcloud/active_config", "default");
  world.write("order/gcloud/configurations/config_default", `[core]\naccount = ${PERSON}\n`);
  world.write(`order/gcloud/legacy_credentials/${PERSON}/adc.json`, await world.key(await world.account("place-of-gcloud")));
  const adc = () => world.write("order/gcloud/application_default_credentials.json", JSON.stringify(keyOf(keys["adc"])));
  adc();
  world.write("order/project/cloudrun-oauth.json", { credentials: keys["folder"] });
  const text = (name: string) => JSON.stringify(keyOf(keys[name]));
  const env: Record<string, string> = {
    CLOUDRUN_OAUTH_CREDENTIALS_JSON: Buffer.from(text("json")).toString("base64"),
    CLOUDRUN_OAUTH_CREDENTIALS: keys["own"] ?? "",
    CREDS: text("creds"),
    GOOGLE_APPLICATION_CREDENTIALS: keys["google"] ?? "",
    GOOGLE_CREDENTIALS: keys["other"] ?? "",
    CLOUDRUN_OAUTH_CONFIG_DIR: join(world.folder, "order/profiles"),
    CLOUDRUN_OAUTH_WORKLOAD_IDENTITY_PROVIDER: world.provider,
    GITLAB_OIDC_TOKEN: world.token(),
    GCE_METADATA_HOST: world.metadata,
    CLOUDSDK_CONFIG: gcloud,
  };
  expect(await run(["config", "set", "credentials", keys["profile"] ?? ""], env)).toMatchObject({ exitCode: 0 });

  const found: string[] = [];
  const look = async (flags: readonly string[] = []) => {
    const { stderr } = await run(["token", "https://a.example.com", "--dry-run", "--verbose", ...flags], env);
    found.push(/^credential: (.*)$/m.exec(stderr)?.[1] ?? stderr);
  };
  const without = async (...names: string[]) => {
    for (const name of names) delete env[name];
    await look(["--cwd", join(world.folder, "order/project")]);
  };
  const project = ["--cwd", join(world.folder, "order/project")];
  await look([...project, "--credentials", keys["flag"] ?? ""]);
  await look(project);
  await without("CLOUDRUN_OAUTH_CREDENTIALS_JSON");
  await without("CLOUDRUN_OAUTH_CREDENTIALS");
  await without("CREDS");
  await without("GOOGLE_APPLICATION_CREDENTIALS");
  await without("GOOGLE_CREDENTIALS");
  await look();
  expect(await run(["config", "unset", "credentials"], env)).toMatchObject({ exitCode: 0 });
  await look();
  delete env["CLOUDRUN_OAUTH_WORKLOAD_IDENTITY_PROVIDER"];
  await look();
  world.remove("order/gcloud/application_default_credentials.json");
  await look();
  delete env["GCE_METADATA_HOST"];
  await look();

  const places = readTable(PAGE, "Search order").map(([place = ""]) => place);
  expect(found).toEqual(places.map((place) => expect.stringContaining(place === "active gcloud account" ? "place-of-gcloud@" : place)));
});

test("impersonation goes through the delegates; as in gcloud, the last of the list is the account", async () => {
  const { caller, callerFile, deployer, first, second, ask, project } = world;
  await ask("iam.googleapis.com", `/v1/projects/${project}/serviceAccounts/${first}:setIamPolicy`, {
    policy: {
      bindings: [
        { role: "roles/iam.serviceAccountTokenCreator", members: [`serviceAccount:${caller}`, `serviceAccount:${world.machine}`] },
      ],
    },
  });
  const chain = ["--credentials", callerFile, "--impersonate-service-account", `${first}, ${second},${deployer}`];
  const { stdout, stderr } = await run(["token", url, "--json", ...chain]);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toMatchObject({ claims: { email: deployer } });
  const file = world.write("delegates.json", {
    type: "impersonated_service_account",
    service_account_impersonation_url: impersonationUrl(deployer),
    delegates: [first, `projects/-/serviceAccounts/${second}`],
    source_credentials: keyOf(callerFile),
  });
  expect(JSON.parse((await run(["token", url, "--json", "--credentials", file])).stdout)).toMatchObject({ claims: { email: deployer } });
});

test("inline credentials are accepted only in the environment and never shown", async () => {
  const text = JSON.stringify(keyOf(world.callerFile));
  for (const flags of [
    ["--credentials", text],
    ["--credentials", Buffer.from(text).toString("base64")],
  ]) {
    const { exitCode, stdout, stderr } = await run(["token", url, ...flags]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain("[SETTINGS_INVALID]");
    expect(stderr).not.toMatch(SECRET);
  }
  const kept = await run(["config", "set", "credentials", text]);
  expect(kept).toMatchObject({ exitCode: 2, stdout: "" });
  expect(kept.stderr).not.toMatch(SECRET);
  const listed = await run(["config", "list", "--json"], { CREDS: text });
  expect(listed.stdout).toContain("[inline]");
  expect(listed.stdout).not.toMatch(SECRET);
});

test("a user's token is for gcloud's client, and the command token says so", async () => {
  const file = world.write("warned.json", await world.login());
  const { stderr } = await run(["token", "--audience", url, "--credentials", file]);
  expect(stderr).toContain("A user's ID tokens are always for the login's client, 764086051850-");
});

function keyOf(path: string | undefined): Record<string, string> {
  return world.read(path ?? "");
}
