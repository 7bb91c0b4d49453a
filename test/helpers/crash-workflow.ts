import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Json } from "./api-server.ts";
import { storageSteps } from "./crash-storage.ts";
import type { KillableEmulator } from "./killable-emulator.ts";
import { mint, openLedger, until, type Ledger } from "./ledger.ts";

const PROJECT = "cloudrun-local";
const REGION = "us-central1";
const REPOSITORIES = `https://artifactregistry.googleapis.com/v1/projects/${PROJECT}/locations/${REGION}/repositories`;
const BUILDS = `https://cloudbuild.googleapis.com/v1/projects/${PROJECT}/locations/global/builds`;
const SERVICES = `https://${REGION}-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/${PROJECT}/services`;
const ACCOUNTS = `https://iam.googleapis.com/v1/projects/${PROJECT}/serviceAccounts`;
const policyUrl = (service: string): string =>
  `https://run.googleapis.com/v1/projects/${PROJECT}/locations/${REGION}/services/${service}:getIamPolicy`;

export interface CrashWorkflow {
  readonly ledger: Ledger;
  /** The steps, in order. Each can be killed at any moment, and be started again. */
  readonly steps: Readonly<Record<string, () => Promise<void>>>;
  /** Finishes what a kill interrupted. Fails if the state differs from what the emulator has answered. */
  verify(): Promise<void>;
}

interface Service {
  readonly name: string;
  readonly url: string;
  readonly document: Json;
  /** The version that it answers with. */
  readonly version: string;
  /** ID tokens of callers with access. */
  readonly tokens: readonly string[];
}

/**
 * All steps from a source to a call, through REST, on an emulator that can be killed at any moment. `sources` are gzipped tar archives, each of a
 * service that answers `{"version": …}` with its environment's VERSION.
 */
export async function openCrashWorkflow(emulator: KillableEmulator, sources: readonly Buffer[]): Promise<CrashWorkflow> {
  const operator = JSON.parse(readFileSync(join(emulator.directory, "keys", `${PROJECT}-operator.json`), "utf8"));
  const ledger = await openLedger(emulator, operator);
  const { ask, get, send, remember, rememberGone, promise } = ledger;
  const storage = storageSteps(ledger, PROJECT, sources);
  const digests = new Map<Buffer, string>();
  let count = 0;
  let [image, email] = ["", ""];
  let keyFile: Json = {};
  let service: Service | undefined;

  const finishBuild = async (id: string, source: Buffer): Promise<void> => {
    const build = await until(
      () => get(`${BUILDS}/${id}`),
      ({ status }) => status !== "QUEUED" && status !== "WORKING",
    );
    expect(build).toMatchObject({ status: "SUCCESS" });
    const [{ digest, name }] = build.results.images;
    // A source always gives the same image.
    expect(digest).toBe(digests.get(source) ?? digest);
    digests.set(source, digest);
    image = `${name}@${digest}`;
    remember(`${BUILDS}/${id}`, build);
    const log = build.logUrl;
    const text = (await ask("GET", log)).bytes.toString();
    expect(text).toMatch(new RegExp(`^starting build "${id}"\n(?![^]*starting build)[^]*\nDONE\n$`));
    promise(log, async () => expect((await ask("GET", log)).bytes.toString()).toBe(text));
  };
  const finishDeploy = async (name: string, generation: number, wanted: Partial<Service> & { version: string }): Promise<void> => {
    const url = `${SERVICES}/${name}`;
    const document = await until(
      () => get(url),
      ({ status }) => status.observedGeneration === generation,
    );
    expect(document["status"].conditions).toMatchObject(["True", "True", "True"].map((status) => ({ status })));
    expect(document.spec.template.spec.containers[0].env).toEqual([{ name: "VERSION", value: wanted.version }]);
    remember(url, document);
    service = { tokens: [], ...wanted, name, url: document.status.url, document };
  };
  const call = async ({ url, version }: Service, idToken: string): Promise<void> => {
    const { status, bytes } = await emulator.ask("GET", url, { headers: { authorization: `Bearer ${idToken}` } });
    expect([url, status, bytes.toString()]).toEqual([url, 200, JSON.stringify({ version })]);
  };
  const current = (): Service => service as Service;

  const steps: CrashWorkflow["steps"] = {
    ...storage.steps,
    async repository() {
      const name = `images-${(count += 1)}`;
      await send("POST", `${REPOSITORIES}?repositoryId=${name}`, { format: "DOCKER" });
      remember(`${REPOSITORIES}/${name}`, await get(`${REPOSITORIES}/${name}`));
    },
    async build() {
      const { bytes, ...storageSource } = storage.source();
      const tag = `gcr.io/${PROJECT}/crash`;
      const dockerSteps = [{ name: "gcr.io/cloud-builders/docker", args: ["build", "-t", tag, "."] }];
      const { metadata } = await send("POST", BUILDS, { source: { storageSource }, steps: dockerSteps, images: [tag] });
      promise(`${BUILDS}/${metadata.build.id}`, () => finishBuild(metadata.build.id, bytes));
      await finishBuild(metadata.build.id, bytes);
    },
    async deploy() {
      const name = `service-${(count += 1)}`;
      const version = `${name}-1`;
      const spec = { template: { spec: { containers: [{ image, env: [{ name: "VERSION", value: version }] }] } } };
      await send("POST", SERVICES, { apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name, namespace: PROJECT }, spec });
      promise(`${SERVICES}/${name}`, () => finishDeploy(name, 1, { version }));
      await finishDeploy(name, 1, { version });
    },
    async account() {
      const accountId = `caller-${(count += 1)}`;
      const account = await send("POST", ACCOUNTS, { accountId, serviceAccount: { displayName: "A caller" } });
      remember(`${ACCOUNTS}/${account.email}`, account);
      email = account.email;
    },
    async key() {
      const { privateKeyData, privateKeyType: _, ...key } = await send("POST", `${ACCOUNTS}/${email}/keys`, {});
      const file = JSON.parse(Buffer.from(privateKeyData, "base64").toString());
      const url = `https://iam.googleapis.com/v1/${key.name}`;
      remember(url, key);
      promise(`${url} signs`, () => mint(emulator, file, { target_audience: "https://example.com" }));
      keyFile = file;
    },
    async grant() {
      const url = policyUrl(current().name);
      const before = await get(url);
      const members = new Set([...(before.bindings[0]?.members ?? []), `serviceAccount:${email}`]);
      const bindings = [{ role: "roles/run.invoker", members: [...members].toSorted() }];
      promise(url, async () => {
        const policy = await get(url);
        expect(policy.bindings).toEqual(policy.etag === before.etag ? before.bindings : bindings);
        remember(url, policy);
      });
      const policy = await send("POST", url.replace("getIam", "setIam"), { policy: { bindings, etag: before.etag } });
      expect(policy.bindings).toEqual(bindings);
      remember(url, policy);
    },
    async invoke() {
      const { id_token: idToken } = await mint(emulator, keyFile, { target_audience: current().url });
      await call(current(), idToken);
      service = { ...current(), tokens: [...current().tokens, idToken] };
    },
    async replace() {
      const before = current();
      const { name, document } = before;
      const url = `${SERVICES}/${name}`;
      const generation = document.metadata.generation + 1;
      const wanted = { ...before, version: `${name}-${generation}` };
      const next = structuredClone(document);
      next.spec.template.spec.containers[0].env = [{ name: "VERSION", value: wanted.version }];
      promise(url, async () => {
        const found = await get(url);
        if (found.metadata.generation === generation) return finishDeploy(name, generation, wanted);
        expect(found).toEqual(document);
        remember(url, document);
      });
      await send("PUT", url, next);
      promise(url, () => finishDeploy(name, generation, wanted));
      await finishDeploy(name, generation, wanted);
    },
    async remove() {
      // The kill that interrupted this step may have come after the deletion.
      if (!service) return;
      const before = service;
      const [url, policy] = [`${SERVICES}/${service.name}`, policyUrl(service.name)];
      ledger.forget(policy);
      service = undefined;
      promise(url, async () => {
        const { status, json } = await ask("GET", url);
        if (status === 404) return rememberGone(url);
        expect(json).toEqual(before.document);
        service = before;
      });
      expect((await ask("DELETE", url)).status).toBe(200);
      rememberGone(url);
      rememberGone(policy);
    },
  };

  return {
    ledger,
    steps,
    async verify() {
      await ledger.verify();
      // Nothing that was requested without an answer stays unfinished.
      await until(
        () => get(BUILDS),
        ({ builds = [] }) => builds.every(({ status }: Json) => status === "SUCCESS"),
      );
      await until(
        () => get(SERVICES),
        ({ items }) => items.every(({ status }: Json) => status.conditions.every((each: Json) => each.status === "True")),
      );
      if (service) await Promise.all(service.tokens.map((idToken) => call(current(), idToken)));
    },
  };
}
