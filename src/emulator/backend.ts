import { join } from "node:path";
import { createBuilds } from "./builds/builds.ts";
import type { Engine } from "./engine/engine.ts";
import { createFrontDoor, type FrontDoor } from "./front-door/front-door.ts";
import { openLogStore, type LogStore } from "./logging/log-store.ts";
import { createRequestLog } from "./logging/request-log.ts";
import { setPropagation } from "./iam/policy.ts";
import { sweepAccessTokens } from "./oauth2/access-tokens.ts";
import type { KeyPair } from "./oauth2/key-pair.ts";
import { openSigningKeys } from "./oauth2/signing-keys.ts";
import { createRouter, type Router } from "./server/router.ts";
import { createDeployments } from "./run/deployments.ts";
import { createInstances } from "./run/instances/instances.ts";
import { createSurround } from "./run/instances/instance-environment.ts";
import { readiness } from "./run/conditions.ts";
import { seedProject } from "./state/default-project.ts";
import { openState, type State } from "./state/state.ts";

interface ServiceStatus {
  readonly name: string;
  readonly region: string;
  readonly url: string;
  readonly ready: boolean;
}

/** Google as far as the emulator has it: the APIs over one state, and the services that run. */
export interface Google {
  readonly router: Router;
  readonly frontDoor: FrontDoor;
  readonly logs: LogStore;
  readonly state: State;
  services(): ServiceStatus[];
  /** Stops what runs; builds and deployments under way go on when the directory is opened again. */
  close(): Promise<void>;
}

interface GoogleOptions {
  readonly directory: string;
  readonly project: string;
  readonly engine: Engine;
  readonly now: () => number;
  readonly log: (line: string) => void;
  /** Where the emulator listens; instances wait for it. */
  readonly address: Promise<string>;
  /** Milliseconds until a change of a policy takes effect. */
  readonly iamPropagation: number;
  /** For the project's operator and its caller, where they have none. */
  readonly firstKeys: readonly Promise<KeyPair>[];
}

/** Opens the state in a directory, and takes up what a crash or a stop cut off. */
export async function openBackend({
  directory,
  project,
  engine,
  now,
  log,
  address,
  iamPropagation,
  firstKeys,
}: GoogleOptions): Promise<Google> {
  const state = openState(directory, now);
  const signingKeys = openSigningKeys(directory);
  const runtime = { state, engine, signingKeys, now, log };
  sweepAccessTokens(state, now());
  setPropagation(state, iamPropagation);
  const logs = openLogStore(join(directory, "logs"), { now, log });
  const instances = createInstances(runtime, {
    surround: createSurround({ ...runtime, logs, address }),
    onLog: (revision, stream, line) => log(`${revision.split("/").at(-1)} ${stream}: ${line}`),
  });
  const deployments = createDeployments({ ...runtime, instances });
  const builds = createBuilds(runtime);
  const router = createRouter(async () => (await import("./apis/apis.ts")).openApis({ ...runtime, deployments, builds, logs }), state, now);
  // Before they are asked for, and after what the start waits for. Whoever needs them gets the error; until then it is nobody's.
  const prepared = address
    .then(() => new Promise((resolve) => setImmediate(resolve)))
    .then(() => Promise.all([signingKeys.issuer(), router.prepare()]))
    .catch(() => undefined);
  // Last, since keys are being made meanwhile.
  await seedProject(runtime, project, firstKeys);
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
        ready: readiness(status.conditions) === true,
      })),
    async close() {
      await Promise.all([builds.close(), deployments.close()]);
      await instances.close();
      // A key that is still being made would be written when the directory is gone already.
      await prepared;
      logs.close();
      state.close();
    },
  };
}
