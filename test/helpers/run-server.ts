import { expect, onTestFinished, vi } from "vitest";
import { createRunApi } from "../../src/emulator/apis/run.ts";
import { createRunV2Api } from "../../src/emulator/apis/run-v2.ts";
import type { KnativeService } from "../../src/emulator/run/knative.ts";
import { createDeployments } from "../../src/emulator/run/deployments.ts";
import { createInstances } from "../../src/emulator/run/instances/instances.ts";
import { openTestState, PROJECT, PROJECT_NUMBER, serveApis, temporaryDirectory, type RequestOptions } from "./api-server.ts";
import { createNodeEngine } from "./node-engine.ts";

export const HOST = "us-central1-run.googleapis.com";
export const SERVICES = `/apis/serving.knative.dev/v1/namespaces/${PROJECT}/services`;
export const REVISIONS = `/apis/serving.knative.dev/v1/namespaces/${PROJECT_NUMBER}/revisions`;
export const LOCATION = `/v1/projects/${PROJECT}/locations/us-central1`;
export const IMAGE = "gcr.io/demo-project/hello";

export interface Wanted {
  readonly name?: string;
  readonly image?: string;
  readonly nonce?: string;
  readonly revision?: string;
  readonly annotations?: Record<string, string>;
  readonly spec?: object;
  readonly container?: object;
  readonly traffic?: readonly object[];
}

/** A service as gcloud sends it. */
export function service({
  name = "hello",
  image = IMAGE,
  nonce = "first",
  revision,
  annotations = {},
  spec = {},
  container = {},
  traffic,
}: Wanted = {}) {
  const metadata = { labels: { "client.knative.dev/nonce": nonce }, ...(revision && { name: revision }) };
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name, namespace: PROJECT, annotations },
    spec: { template: { metadata, spec: { containers: [{ image, ...container }], ...spec } }, ...(traffic && { traffic }) },
  };
}

/** Cloud Run with one region host in front, and instances that are real processes. */
export async function openRun(directory = temporaryDirectory()) {
  const state = openTestState(directory);
  const engine = createNodeEngine();
  const instances = createInstances({ state, engine });
  const log = (line: string) => expect.fail(line);
  const deployments = createDeployments({ state, now: Date.now, log, instances });
  const server = await serveApis(
    [createRunApi({ state, now: Date.now, deployments }), createRunV2Api({ state, now: Date.now, deployments })],
    state,
  );
  const close = async () => {
    await deployments.close();
    await instances.close();
  };
  onTestFinished(close);

  const send = async (method: string, path: string, body?: object, options: RequestOptions = {}) => {
    const { status, json } = await server.request(method, HOST, path, { ...(body && { body }), ...options });
    return { status, json };
  };
  /** Waits as gcloud does, until what was asked for is there or has failed. */
  const settled = (name = "hello") =>
    vi.waitFor(
      async () => {
        const { json } = await send("GET", `${SERVICES}/${name}`);
        expect(json["status"]?.observedGeneration).toBe(json["metadata"]?.generation);
        return json as KnativeService & Record<string, unknown>;
      },
      { timeout: 20_000, interval: 10 },
    );
  const deploy = async (wanted: Wanted = {}) => {
    const name = wanted.name ?? "hello";
    const { status } = state.services.get(`${PROJECT}/us-central1/${name}`)
      ? await send("PUT", `${SERVICES}/${name}`, service(wanted))
      : await send("POST", SERVICES, service(wanted));
    expect(status).toBe(200);
    return settled(name);
  };
  return { state, engine, instances, deployments, server, send, settled, deploy, close };
}

export function conditionsOf({ status }: KnativeService): Record<string, string> {
  return Object.fromEntries(status.conditions.map(({ type, status }) => [type, status]));
}
