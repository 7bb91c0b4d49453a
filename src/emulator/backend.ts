import { join } from "node:path";
import { createBuilds } from "./builds/builds.ts";
import type { Engine } from "./engine/engine.ts";
import { createFrontDoor, type FrontDoor } from "./front-door/front-door.ts";
import { openLogStore, type LogStore } from "./logging/log-store.ts";
import { createRequestLog } from "./logging/request-log.ts";
import { setIamPropagation } from "./iam/policy.ts";
import { removeExpiredTokens } from "./oauth2/access-tokens.ts";
import type { KeyPair } from "./oauth2/key-pair.ts";
import { openSigningKeys } from "./oauth2/signing-keys.ts";
import { createRouter, type Router } from "./server/router.ts";
import { createDeployments } from "./run/deployments.ts";
import { createInstances } from "./run/instances/instances.ts";
import { createInstanceContextOpener } from "./run/instances/instance-context.ts";
import { readReadiness } from "./run/conditions.ts";
import { createCallerKey, createProject } from "./iam/create-project.ts";
import { openState, type State } from "./state/state.ts";

interface ServiceStatus {
  readonly name: string;
  readonly region: string;
  readonly url: string;
  readonly ready: boolean;
}

/** The emulated part of Google: its APIs over one state, and the running services. */
export interface Backend {
  readonly router: Router;
  readonly frontDoor: FrontDoor;
  readonly logs: LogStore;
  readonly state: State;
  services(): ServiceStatus[];
  createCallerKey(): Promise<void>;
  /** Stops all instances; unfinished builds and deployments continue when the directory is opened again. */
  close(): Promise<void>;
}

interface BackendOptions {
  readonly directory: string;
  readonly project: string;
  readonly engine: Engine;
  readonly now: () => number;
  readonly log: (line: string) => void;
  /** The emulator's URL; instances wait for it. */
  readonly address: Promise<string>;
  /** Milliseconds until a policy change takes effect. */
  readonly iamPropagation: number;
  /** The key of a new project's operator. */
  readonly operatorKey?: Promise<KeyPair> | undefined;
}

/** Opens the state in a directory, and resumes builds and deployments that a crash or a stop interrupted. */
export async function openBackend({
  directory,
  project,
  engine,
  now,
  log,
  address,
  iamPropagation,
  operatorKey,
}: BackendOptions): Promise<Backend> {
  const state = openState(directory, now);
  const signingKeys = openSigningKeys(directory);
  const runtime = { state, engine, signingKeys, now, log };
  removeExpiredTokens(state, now());
  setIamPropagation(state, iamPropagation);
  const logs = openLogStore(join(directory, "logs"), { now, log });
  const instances = createInstances(runtime, {
    openContext: createInstanceContextOpener({ ...runtime, logs, address }),
    onLog: (revision, stream, line) => log(`${revision.split("/").at(-1)} ${stream}: ${line}`),
  });
  const deployments = createDeployments({ ...runtime, instances });
  const builds = createBuilds(runtime);
  const router = createRouter(async () => (await import("./apis/apis.ts")).openApis({ ...runtime, deployments, builds, logs }), state, now);
  // Prepared before the first request needs them, but after the start. Whatever needs them reports their errors.
  const prepared = address
    .then(() => new Promise((resolve) => setImmediate(resolve)))
    .then(() => Promise.all([signingKeys.issuerKey(), router.prepare()]))
    .catch(() => undefined);
  // Last, since it waits for the operator's key.
  await createProject(runtime, project, operatorKey);
  let callerKey: Promise<void> | undefined;
  builds.resume();
  deployments.resume();

  return {
    router: router.route,
    frontDoor: createFrontDoor({ ...runtime, instances, requestLog: createRequestLog({ logs, now }) }),
    logs,
    state,
    services: () =>
      state.services.list().map(({ metadata, status }) => ({
        name: metadata.name,
        region: metadata.labels["cloud.googleapis.com/location"] ?? "",
        url: status.url,
        ready: readReadiness(status.conditions) === true,
      })),
    createCallerKey: () =>
      (callerKey ??= createCallerKey(runtime, project).catch((error: unknown) => {
        callerKey = undefined;
        throw error;
      })),
    async close() {
      await Promise.all([builds.close(), deployments.close()]);
      await instances.close();
      // Keys that are still being generated must be written before the directory can be removed.
      await Promise.all([prepared, callerKey?.catch(() => undefined)]);
      logs.close();
      state.close();
    },
  };
}
