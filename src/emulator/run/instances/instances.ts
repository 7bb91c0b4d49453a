import { imageDirectory } from "../../artifact-registry/images.ts";
import type { Instance } from "../../engine/engine.ts";
import type { KnativeRevision } from "../knative.ts";
import type { Runtime } from "../../runtime.ts";
import { openInstanceSecrets, removeStaleMounts, type InstanceSecrets } from "../../secrets/instance-secrets.ts";
import { InstanceError, StartupError } from "./instance-error.ts";
import { createPool, type Lease, type Pool } from "./pool.ts";
import { readScaling } from "./scaling.ts";
import { startInstance } from "./start-instance.ts";
import type { OpenInstanceContext, InstanceContext } from "./instance-context.ts";

/** Cloud Run stops an instance after at most 15 minutes without a request. */
const IDLE_TIMEOUT_MS = 15 * 60_000;
/** The minimum time that a request waits for an instance: https://cloud.google.com/run/docs/about-instance-autoscaling */
const MIN_QUEUE_TIMEOUT_MS = 10_000;

/** The instances of all revisions, which start and stop with the requests. */
export interface Instances {
  /** Leases an instance like `acquire`, but only if one is free right now. Throws InstanceError. */
  tryAcquire(revisionKey: string, instanceId?: string): Lease | undefined;
  /**
   * Leases an instance of a revision for one request, preferably the given instance. Throws InstanceError if none is available, and the
   * signal's reason.
   */
  acquire(revisionKey: string, signal: AbortSignal, instanceId?: string): Promise<Lease>;
  startMinInstances(revisionKey: string): void;
  /** Stops a revision's instances once they have finished their requests; resolves when they are gone. */
  stopRevision(revisionKey: string): Promise<void>;
  /** Stops all instances, with a grace period of ten seconds after SIGTERM. */
  close(): Promise<void>;
}

interface InstancesOptions {
  readonly idleTimeoutMs?: number;
  readonly queueTimeoutMs?: number;
  readonly onLog?: (revisionKey: string, stream: "stdout" | "stderr", line: string) => void;
  readonly openContext?: OpenInstanceContext;
}

export function createInstances({ state, engine }: Pick<Runtime, "state" | "engine">, options: InstancesOptions = {}): Instances {
  const {
    idleTimeoutMs = IDLE_TIMEOUT_MS,
    queueTimeoutMs = MIN_QUEUE_TIMEOUT_MS,
    onLog = () => undefined,
    openContext = openEmptyContext,
  } = options;
  const pools = new Map<string, Pool>();
  const retiredPools = new Set<Pool>();
  let isClosed = false;
  removeStaleMounts(state);

  const openPool = (key: string): Pool => {
    const revision = state.revisions.get(key);
    if (!revision) throw new StartupError("RevisionMissing", `Revision '${key.split("/").at(-1)}' does not exist or is deleted.`);
    return createPool({
      start: (signal) => start(key, revision, signal),
      protocol: revision.spec.containers[0]?.ports?.[0]?.name === "h2c" ? "h2c" : "http1",
      requestTimeoutMs: (revision.spec.timeoutSeconds ?? 300) * 1000,
      concurrency: revision.spec.containerConcurrency || 80,
      readScaling: () => readScaling(state, key),
      idleTimeoutMs,
      minQueueTimeoutMs: queueTimeoutMs,
    });
  };

  const start = async (key: string, revision: KnativeRevision, signal: AbortSignal): Promise<Instance> => {
    const image = findRevisionImage(revision);
    const context = await openContext(key);
    let secrets: InstanceSecrets | undefined;
    const closeContext = () => {
      context.close();
      secrets?.close();
    };
    const log: InstanceContext["log"] = (stream, line) => {
      onLog(key, stream, line);
      context.log(stream, line);
    };
    try {
      secrets = openInstanceSecrets(state, key.split("/")[0] ?? "", revision);
      const instance = await startInstance({ revision, secrets, ...image, ...context, log }, signal);
      void instance.exited.then(closeContext);
      return instance;
    } catch (error) {
      closeContext();
      throw error;
    }
  };

  const findRevisionImage = ({ status }: KnativeRevision) => {
    const digest = status.imageDigest?.split("@")[1] ?? "";
    const image = state.images.get(digest);
    if (!image) throw new StartupError("ContainerMissing", `Image '${status.imageDigest ?? ""}' not found.`);
    const runner = engine.runnerOf(image.engine);
    if (!runner) {
      throw new StartupError(
        "ContainerMissing",
        `Image '${status.imageDigest}' was built by the ${image.engine} engine; the ${engine.name} engine can't run it. Build it again.`,
      );
    }
    return { engine: runner, config: image.config, directory: imageDirectory(state, digest) };
  };

  const poolOf = (key: string): Pool => {
    if (isClosed) throw new InstanceError(500, "The emulator is stopping.");
    const pool = pools.get(key) ?? openPool(key);
    pools.set(key, pool);
    return pool;
  };

  return {
    tryAcquire: (key, instanceId) => poolOf(key).tryAcquire(instanceId),
    acquire: async (key, signal, instanceId) => poolOf(key).acquire(signal, instanceId),
    startMinInstances(key) {
      if (!isClosed && readScaling(state, key).minInstances > 0) poolOf(key).ensureMinInstances();
    },
    async stopRevision(key) {
      const pool = pools.get(key);
      if (!pool) return;
      pools.delete(key);
      retiredPools.add(pool);
      pool.retire();
      await pool.empty;
      retiredPools.delete(pool);
    },
    async close() {
      isClosed = true;
      await Promise.all([...pools.values(), ...retiredPools].map((pool) => pool.close()));
      pools.clear();
    },
  };
}

const openEmptyContext: OpenInstanceContext = async () => ({
  environment: {},
  log: () => undefined,
  logSystem: () => undefined,
  close: () => undefined,
});
