import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { Json } from "./api-server.ts";
import { Killed, processesOf, type KillableEmulator } from "./killable-emulator.ts";
import { mint, until, type Ledger } from "./ledger.ts";

const PROJECT = "cloudrun-local";
const REGION = "us-central1";
const STORAGE = "https://storage.googleapis.com";
const ACCOUNTS = `https://iam.googleapis.com/v1/projects/${PROJECT}/serviceAccounts`;
export const SERVICES = `https://${REGION}-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/${PROJECT}/services`;
export const policyUrl = (service: string): string =>
  `https://run.googleapis.com/v1/projects/${PROJECT}/locations/${REGION}/services/${service}:getIamPolicy`;

/** What was done to an emulator. */
interface Done {
  deployments: number;
  grants: number;
  revocations: number;
  calls: number;
  refusals: number;
  killedInstances: number;
}

export interface Load {
  readonly done: Done;
  /** What is done over and over, side by side. Each round may be cut off by Killed, and leaves nothing that the next does not clear away. */
  readonly rounds: readonly (() => Promise<void>)[];
}

interface Caller {
  readonly email: string;
  readonly key: Json;
}

/** Prepares load of which no round leaves more behind than was there before. `image` answers `{"version": …}` with its environment's VERSION. */
export async function prepareLoad(emulator: KillableEmulator, ledger: Ledger, image: string): Promise<Load> {
  const done: Done = { deployments: 0, grants: 0, revocations: 0, calls: 0, refusals: 0, killedInstances: 0 };
  const bucket = "soaked";
  await ledger.send("POST", `${STORAGE}/storage/v1/b?project=${PROJECT}`, { name: bucket });
  const caller = await makeCaller(ledger, "soak-caller");
  const stranger = await makeCaller(ledger, "soak-stranger");
  const serve = ["soak-one", "soak-two", "soak-three"].map(
    (name) => () => serviceRound({ emulator, ledger, image, caller, stranger, done }, name),
  );
  return { done, rounds: [...serve, () => accountRound(emulator, ledger), () => objectRound(ledger, bucket)] };
}

async function makeCaller({ send, remember }: Ledger, accountId: string): Promise<Caller> {
  const account = await send("POST", ACCOUNTS, { accountId });
  remember(`${ACCOUNTS}/${account.email}`, account);
  const { privateKeyData } = await send("POST", `${ACCOUNTS}/${account.email}/keys`, {});
  return { email: account.email, key: JSON.parse(Buffer.from(privateKeyData, "base64").toString()) };
}

interface Actors {
  readonly emulator: KillableEmulator;
  readonly ledger: Ledger;
  readonly image: string;
  readonly caller: Caller;
  readonly stranger: Caller;
  readonly done: Done;
}

/** Deploys a service, calls it with right and wrong credentials around grants, revocations, a kill of its instance and a new revision, and deletes it. */
async function serviceRound({ emulator, ledger, image, caller, stranger, done }: Actors, name: string): Promise<void> {
  const { ask, get, send } = ledger;
  const url = `${SERVICES}/${name}`;
  const policy = policyUrl(name);

  const mark = randomBytes(4).toString("hex");
  const deploy = async (version: string): Promise<Json> => {
    const found = await ask("GET", url);
    const isThere = found.status === 200;
    const container = { image, env: [{ name: "VERSION", value: version }] };
    const metadata = isThere ? found.json["metadata"] : { name, namespace: PROJECT };
    const document = {
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata,
      spec: { template: { spec: { containers: [container] } } },
    };
    const versionThere = async (): Promise<string | undefined> => {
      const { status, json } = await ask("GET", url);
      return status === 404 ? undefined : json["spec"].template.spec.containers[0].env[0].value;
    };
    const before = await versionThere();
    // It was not answered yet: it may have been made or not, and stays so.
    ledger.promise(url, async () => {
      const now = await versionThere();
      expect([before, version]).toContain(now);
      ledger.promise(url, async () => expect(await versionThere()).toBe(now));
    });
    await send(isThere ? "PUT" : "POST", isThere ? url : SERVICES, document);
    ledger.promise(url, async () => expect([url, await versionThere()]).toEqual([url, version]));
    const ready = await until(
      () => get(url),
      ({ metadata: { generation }, status }) => status.observedGeneration === generation,
    );
    expect(ready["status"].conditions[0]).toMatchObject({ type: "Ready", status: "True" });
    done.deployments += 1;
    return ready;
  };
  const setInvokers = async (members: readonly string[]): Promise<void> => {
    const invokers = async (): Promise<readonly string[]> => (await get(policy)).bindings?.[0]?.members ?? [];
    const before = await invokers();
    ledger.promise(policy, async () => {
      const now = await invokers();
      expect([before, members]).toContainEqual(now);
      ledger.promise(policy, async () => expect(await invokers()).toEqual(now));
    });
    const bindings = members.length > 0 ? [{ role: "roles/run.invoker", members }] : [];
    await send("POST", policy.replace("getIam", "setIam"), { policy: { bindings } });
    ledger.promise(policy, async () => expect([policy, await invokers()]).toEqual([policy, members]));
  };
  const clear = async (): Promise<void> => {
    ledger.forget(url);
    ledger.forget(policy);
    expect([200, 404]).toContain((await ask("DELETE", url)).status);
    ledger.rememberGone(url);
  };
  const call = (root: string, authorization?: string) => emulator.ask("GET", root, { headers: authorization ? { authorization } : {} });
  const expectAnswer = async (root: string, idToken: string, version: string): Promise<void> => {
    const { status, bytes } = await call(root, `Bearer ${idToken}`);
    expect([root, status, bytes.toString()]).toEqual([root, 200, JSON.stringify({ version })]);
    done.calls += 1;
  };
  const expectRefusal = async (root: string, wanted: number, authorization?: string): Promise<void> => {
    expect([root, authorization, (await call(root, authorization)).status]).toEqual([root, authorization, wanted]);
    done.refusals += 1;
  };

  await clear();
  const { status } = await deploy(`${mark}-1`);
  const root: string = status.url;
  const mintFor = async ({ key }: Caller, audience = root): Promise<string> =>
    (await mint(emulator, key, { target_audience: audience })).id_token;
  const [right, notGranted, elsewhere] = await Promise.all([mintFor(caller), mintFor(stranger), mintFor(caller, "https://example.com")]);
  await expectRefusal(root, 403, `Bearer ${right}`);
  await setInvokers([`serviceAccount:${caller.email}`]);
  done.grants += 1;
  for (let turn = 0; turn < 10; turn += 1) {
    await Promise.all(Array.from({ length: 3 }, () => expectAnswer(root, right, `${mark}-1`)));
    await expectRefusal(root, 403);
    await expectRefusal(root, 401, `Bearer ${elsewhere}`);
    await expectRefusal(root, 401, `Bearer ${right.slice(0, -6)}AAAAAA`);
    await expectRefusal(root, 403, `Bearer ${notGranted}`);
  }
  for (const pid of instancesOf(emulator.directory, name)) {
    process.kill(pid, "SIGKILL");
    done.killedInstances += 1;
  }
  // The request that comes at the moment of the kill may fail with the instance.
  await until(
    async () => ({ status: (await call(root, `Bearer ${right}`)).status }),
    (answer) => answer["status"] === 200,
  );
  await deploy(`${mark}-2`);
  for (let turn = 0; turn < 10; turn += 1) await expectAnswer(root, right, `${mark}-2`);
  await setInvokers([]);
  done.revocations += 1;
  await expectRefusal(root, 403, `Bearer ${right}`);
  await clear();
  await expectRefusal(root, 404, `Bearer ${right}`);
}

/** Makes an account with a key, which signs until it is disabled, and deletes both. */
async function accountRound(emulator: KillableEmulator, { ask, send, rememberGone, forget }: Ledger): Promise<void> {
  const accountId = "soak-passing";
  const url = `${ACCOUNTS}/${accountId}@${PROJECT}.iam.gserviceaccount.com`;
  forget(url);
  expect([200, 404]).toContain((await ask("DELETE", url)).status);
  await send("POST", ACCOUNTS, { accountId });
  const { name, privateKeyData } = await send("POST", `${url}/keys`, {});
  const key = JSON.parse(Buffer.from(privateKeyData, "base64").toString());
  const claims = { scope: "https://www.googleapis.com/auth/cloud-platform" };
  const { access_token: token } = await mint(emulator, key, claims);
  const keyUrl = `https://iam.googleapis.com/v1/${name}`;
  expect((await ask("GET", keyUrl, { headers: { authorization: `Bearer ${token}` } })).status).toBe(403);
  await send("POST", `${keyUrl}:disable`, {});
  const refused = await mint(emulator, key, claims).catch((error: unknown) => error);
  if (refused instanceof Killed) throw refused;
  expect(String(refused)).toContain("status: 400");
  expect((await ask("DELETE", keyUrl)).status).toBe(200);
  expect((await ask("DELETE", url)).status).toBe(200);
  rememberGone(url);
}

/** Stores an object, writes it anew, reads it, and deletes it. */
async function objectRound({ ask, rememberGone, forget }: Ledger, bucket: string): Promise<void> {
  const name = "object";
  const url = `${STORAGE}/storage/v1/b/${bucket}/o/${name}`;
  forget(url);
  for (const size of [1000, 300_000]) {
    const bytes = randomBytes(size);
    const stored = await ask("POST", `${STORAGE}/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${name}`, { body: bytes });
    expect(stored.status).toBe(200);
    expect((await ask("GET", `${url}?alt=media`)).bytes.equals(bytes)).toBe(true);
  }
  expect((await ask("DELETE", url)).status).toBe(204);
  rememberGone(url);
}

function instancesOf(directory: string, service: string): number[] {
  return processesOf(directory)
    .map(([pid]) => pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`\0K_SERVICE=${service}\0`);
      } catch {
        // It has ended meanwhile.
        return false;
      }
    });
}
