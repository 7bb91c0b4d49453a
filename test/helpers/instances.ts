import { get } from "node:http";
import { expect, onTestFinished } from "vitest";
import type { KnativeService } from "../../src/emulator/run/knative.ts";
import { createInstances, type Instances } from "../../src/emulator/run/instances/instances.ts";
import { openTestState } from "./api-server.ts";
import { addImage, createNodeEngine, SERVER } from "./node-engine.ts";

export const KEY = "demo-project/us-central1/hello-00001-abc";
export const NEVER = new AbortController().signal;

interface Options {
  readonly script?: string;
  readonly concurrency?: number;
  readonly maxScale?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly container?: object;
  readonly spec?: object;
  readonly idleTimeoutMs?: number;
  readonly queueTimeoutMs?: number;
}

/** A service's revision with its instances. */
export function openInstances({
  script = SERVER,
  concurrency = 80,
  maxScale = "100",
  annotations = {},
  container = {},
  spec = {},
  ...options
}: Options = {}) {
  const state = openTestState();
  const digest = addImage(state, "gcr.io/demo-project/hello", script);
  const startupProbe = { periodSeconds: 1, failureThreshold: 2, tcpSocket: { port: 8080 } };
  state.revisions.set(KEY, {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: {
      name: "hello-00001-abc",
      namespace: "123456789012",
      uid: "u",
      generation: 1,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { "serving.knative.dev/service": "hello" },
      annotations: { "autoscaling.knative.dev/maxScale": maxScale, ...annotations },
    },
    spec: { containerConcurrency: concurrency, containers: [{ image: "gcr.io/demo-project/hello", startupProbe, ...container }], ...spec },
    status: { observedGeneration: 1, conditions: [], imageDigest: `gcr.io/demo-project/hello@${digest}` },
  });
  const engine = createNodeEngine();
  const lines: string[] = [];
  const instances = createInstances(
    { state, engine },
    { ...options, onLog: (key, stream, line) => lines.push(`${key} ${stream} ${line}`) },
  );
  onTestFinished(async () => {
    await instances.close();
    expect(engine.alive).toBe(0);
  });
  /** Sets the traffic of the revision's service. */
  const route = (traffic: KnativeService["status"]["traffic"], annotations: Readonly<Record<string, string>> = {}): void =>
    state.services.set("demo-project/us-central1/hello", { metadata: { annotations }, status: { traffic } } as unknown as KnativeService);
  return { state, engine, instances, lines, route };
}

export function ask(port: number, path = "/"): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1", path, agent: false }, async (response) =>
      resolve(JSON.parse(Buffer.concat(await response.toArray()).toString())),
    ).on("error", reject);
  });
}

export async function failure(instances: Instances, signal = NEVER): Promise<unknown> {
  return instances.acquire(KEY, signal).then(
    () => undefined,
    (error: unknown) => error,
  );
}
