import { execa } from "execa";
import { readFileSync, writeFileSync } from "node:fs";
import { get, type OutgoingHttpHeaders } from "node:http";
import { join } from "node:path";
import { afterAll, expect, onTestFinished } from "vitest";
import { HELLO, startEmulator, tinyService } from "../helpers/emulator.ts";
import { openGcloud } from "../helpers/gcloud.ts";
import { decode } from "../helpers/identity.ts";
import { freePort } from "../helpers/process-engine.ts";
import { testNeeding } from "../helpers/requirements.ts";

/** In milliseconds. Starting gcloud takes a second, or several on a busy machine. */
const TIMEOUT = 300_000;

const emulator = await startEmulator(afterAll);
const { port, project } = emulator;
const { env, folder, gcloud } = openGcloud(emulator.status().environment);
const { url, host } = await emulator.deploy("hello", tinyService(HELLO));
const CALLER = `serviceAccount:${env["SERVICE_ACCOUNT_EMAIL"]}`;

async function json(line: string): Promise<unknown> {
  return JSON.parse((await gcloud(`${line} --format json`)).stdout);
}

/** The status of a GET from a port of this machine; 0 if nothing listens. */
function status(at: number, headers: OutgoingHttpHeaders = {}): Promise<number> {
  return new Promise((resolve) => {
    get({ host: "127.0.0.1", port: at, headers, agent: false }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    }).on("error", () => resolve(0));
  });
}

const call = (idToken: string) => status(port, { host, authorization: `Bearer ${idToken}` });

function keyIdOf(keyFile: string): string {
  return JSON.parse(readFileSync(join(folder, keyFile), "utf8")).private_key_id;
}

/** An ID token that gcloud fetches with a key file. */
async function tokenOf(keyFile: string): Promise<string> {
  const override = { CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: join(folder, keyFile) };
  return (await gcloud(`auth print-identity-token --audiences ${url}`, override)).stdout;
}

testNeeding(
  "gcloud",
  "an account and its keys are valid from creation to deletion, and so are their tokens",
  async () => {
    const email = `key-holder@${project}.iam.gserviceaccount.com`;
    expect(await json("iam service-accounts create key-holder --display-name Holder")).toMatchObject({ email, displayName: "Holder" });
    const keys = `--iam-account ${email}`;
    const [accounts, account] = await Promise.all([
      json("iam service-accounts list"),
      json(`iam service-accounts describe ${email}`),
      gcloud(`iam service-accounts keys create first.json ${keys}`),
      gcloud(`iam service-accounts keys create second.json ${keys}`),
    ]);
    expect(accounts).toContainEqual({ ...(account as object), disabled: false });
    expect(account).toMatchObject({ email, name: `projects/${project}/serviceAccounts/${email}` });

    const [token, second, listed] = await Promise.all([
      tokenOf("first.json"),
      tokenOf("second.json"),
      gcloud(`iam service-accounts keys list --managed-by user --format value(name.basename()) ${keys}`),
    ]);
    const [firstKey, secondKey] = ["first.json", "second.json"].map(keyIdOf);
    expect(listed.stdout.split("\n").toSorted()).toEqual([firstKey, secondKey].toSorted());
    expect(decode(token).claims).toMatchObject({ aud: url, email });
    expect(await call(token)).toBe(403);
    await gcloud(`run services add-iam-policy-binding hello --member serviceAccount:${email} --role roles/run.invoker`);
    expect(await Promise.all([call(token), call(second)])).toEqual([200, 200]);

    await Promise.all([
      gcloud(`iam service-accounts keys disable ${firstKey} ${keys}`),
      gcloud(`iam service-accounts keys delete ${secondKey} ${keys} --quiet`),
    ]);
    await Promise.all(
      ["first", "second"].map((name) =>
        // With the old configuration, gcloud would show its cached token.
        expect(gcloud(`auth activate-service-account --key-file ${name}.json`, { CLOUDSDK_CONFIG: join(folder, name) })).rejects.toThrow(
          "invalid_grant: Invalid JWT Signature.",
        ),
      ),
    );

    await gcloud(`iam service-accounts disable ${email}`);
    expect(await call(token)).toBe(401);
    await gcloud(`iam service-accounts enable ${email}`);
    expect(await call(token)).toBe(200);
    await gcloud(`iam service-accounts delete ${email} --quiet`);
    expect(await call(token)).toBe(401);
  },
  TIMEOUT,
);

testNeeding(
  "gcloud",
  "a service's policy is read, replaced and narrowed, and calls obey it",
  async () => {
    const token = await emulator.idToken(url);
    await emulator.grant("hello", `serviceAccount:operator@${project}.iam.gserviceaccount.com`);
    expect(await call(token)).toBe(403);
    await expect(
      gcloud(`run services add-iam-policy-binding hello --role roles/run.invoker --member ${env["SERVICE_ACCOUNT_EMAIL"]}`),
    ).rejects.toThrow("Please set a valid type prefix for the member.");
    const read = await json("run services get-iam-policy hello");
    expect(read).toMatchObject({ bindings: [{ role: "roles/run.invoker", members: [expect.stringContaining("operator@")] }] });
    writeFileSync(
      join(folder, "policy.json"),
      JSON.stringify({ ...(read as object), bindings: [{ role: "roles/run.invoker", members: [CALLER] }] }),
    );
    const set = (await json("run services set-iam-policy hello policy.json")) as object;
    expect(set).toMatchObject({ bindings: [{ role: "roles/run.invoker", members: [CALLER] }] });
    expect(await call(token)).toBe(200);

    const [again] = await Promise.all([
      json("run services get-iam-policy hello"),
      // Its etag belongs to the replaced policy.
      expect(gcloud("run services set-iam-policy hello policy.json")).rejects.toThrow("There were concurrent policy changes."),
    ]);
    expect(again).toEqual(set);
    await gcloud(`run services remove-iam-policy-binding hello --role roles/run.invoker --member ${CALLER}`);
    expect(await call(token)).toBe(403);
  },
  TIMEOUT,
);

testNeeding(
  "gcloud",
  "print-identity-token gives gcloud's own token, one for an audience, and one of an impersonated account",
  async () => {
    const email = `stand-in@${project}.iam.gserviceaccount.com`;
    const [plain, forService, forAnother] = await Promise.all([
      gcloud("auth print-identity-token"),
      gcloud(`auth print-identity-token --audiences ${url}`),
      gcloud("auth print-identity-token --audiences https://example.com"),
      gcloud("iam service-accounts create stand-in"),
    ]);
    // The operator owns the project and can therefore invoke its services.
    expect(decode(plain.stdout).claims["aud"]).toBe("32555940559.apps.googleusercontent.com");
    expect(await Promise.all([plain, forService, forAnother].map(({ stdout }) => call(stdout)))).toEqual([200, 200, 401]);

    const impersonate = `auth print-identity-token --impersonate-service-account ${email}`;
    await Promise.all([
      expect(gcloud(`${impersonate} --audiences ${url} --include-email`)).rejects.toThrow("iam.serviceAccounts.getAccessToken"),
      expect(gcloud(`auth print-identity-token --audiences ${url} --include-email`)).rejects.toThrow(
        "Requires an impersonate service account.",
      ),
    ]);
    const operator = `serviceAccount:operator@${project}.iam.gserviceaccount.com`;
    await gcloud(`iam service-accounts add-iam-policy-binding ${email} --member ${operator} --role roles/iam.serviceAccountTokenCreator`);
    const [named, bare] = await Promise.all([gcloud(`${impersonate} --audiences ${url} --include-email`), gcloud(impersonate)]);
    expect(decode(named.stdout).claims).toMatchObject({ aud: url, email, email_verified: true });
    expect(decode(bare.stdout).claims).not.toHaveProperty("email");
    expect([await call(named.stdout), await call(bare.stdout)]).toEqual([403, 403]);
    await emulator.grant("hello", `serviceAccount:${email}`);
    expect([await call(named.stdout), await call(bare.stdout)]).toEqual([200, 200]);
  },
  TIMEOUT,
);

/** Starts `gcloud run services proxy` until the test ends, and returns its port once it listens. */
async function startProxy(gcloudPath: string, ...flags: readonly string[]): Promise<number> {
  const free = await freePort();
  const args = ["run", "services", "proxy", "hello", "--port", String(free), ...flags];
  const proxy = execa(gcloudPath, args, { env, extendEnv: false, stdin: "ignore", reject: false, detached: true });
  onTestFinished(async () => {
    if (proxy.exitCode === null) process.kill(-(proxy.pid as number), "SIGTERM");
    await proxy;
    await expect.poll(() => status(free), { timeout: 20_000 }).toBe(0);
  });
  await expect.poll(async () => proxy.exitCode !== null || (await status(free)) !== 0, { timeout: TIMEOUT / 2 }).toBe(true);
  if (proxy.exitCode !== null) expect.fail((await proxy).stderr);
  return free;
}

testNeeding(
  ["gcloud", "cloud-run-proxy"],
  "services proxy carries a caller's credential to a private service",
  async ([gcloudPath = ""]) => {
    await emulator.grant("hello", `serviceAccount:operator@${project}.iam.gserviceaccount.com`);
    const { stdout: token } = await gcloud(`auth print-identity-token --audiences ${url}`);
    expect(await call(token)).toBe(200);
    const [owners, callers] = await Promise.all([startProxy(gcloudPath), startProxy(gcloudPath, "--token", await emulator.idToken(url))]);
    expect(await Promise.all([status(owners), status(callers)])).toEqual([200, 403]);
    await emulator.grant("hello", CALLER);
    expect(await Promise.all([status(owners), status(callers)])).toEqual([200, 200]);
  },
  TIMEOUT,
);
