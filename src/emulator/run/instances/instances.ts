import { imageDirectory } from "../../artifact-registry/images.ts";
import type { Instance } from "../../engine/engine.ts";
import type { KnativeRevision } from "../knative.ts";
import type { Runtime } from "../../runtime.ts";
import { openInstanceSecrets, removeStaleMounts, type InstanceSecrets } from "../../secrets/instance-secrets.ts";
import { InstanceError, StartupError } from "./instance-error.ts";
import { createPool, type Lease, type Pool } from "./pool.ts";
import { scaleOf } from "./scale.ts";
import { startInstance } from "./startup.ts";
import type { Surround, Surroundings } from "./instance-context.ts";

/** Cloud Run keeps an instance for at most 15 minutes without a request. */
const IDLE = 15 * 60_000;
/** https://cloud.google.com/run/docs/about-instance-autoscaling: the least time that a request waits for an instance. */
const QUEUE = 10_000;

/** The instances of all revisions; they come with the requests and go without them. */
export interface Instances {
  /** A place that is free at once, as `acquire` would choose it. Throws InstanceError where there is none to be had. */
  take(revisionKey: string, instanceId?: string): Lease | undefined;
  /** A place for one request in an instance of a revision, in a certain one if that has a place. Throws InstanceError where there is none to be had, and the signal's reason. */
  acquire(revisionKey: string, signal: AbortSignal, instanceId?: string): Promise<Lease>;
  /** Sees to it that a revision has as many instances as it is to have even without a request. */
  keepLeast(revisionKey: string): void;
  /** Lets the instances of a revision go when they have answered what they have; resolves when they are gone. */
  stopRevision(revisionKey: string): Promise<void>;
  /** Stops all instances, giving each ten seconds from its SIGTERM. */
  close(): Promise<void>;
}

interface InstancesOptions {
  readonly idleMilliseconds?: number;
  readonly queueMilliseconds?: number;
  /** Takes each line that an instance writes. */
  readonly onLog?: (revisionKey: string, stream: "stdout" | "stderr", line: string) => void;
  readonly surround?: Surround;
}

export function createInstances({ state, engine }: Pick<Runtime, "state" | "engine">, options: InstancesOptions = {}): Instances {
  const { idleMilliseconds = IDLE, queueMilliseconds = QUEUE, onLog = () => undefined, surround = nothingAround } = options;
  const pools = new Map<string, Pool>();
  const retired = new Set<Pool>();
  let closed = false;
  removeStaleMounts(state);

  const openPool = (key: string): Pool => {
    const revision = state.revisions.get(key);
    if (!revision) throw new StartupError("RevisionMissing", `Revision '${key.split("/").at(-1)}' does not exist or is deleted.`);
    return createPool({
      start: (signal) => start(key, revision, signal),
      protocol: revision.spec.containers[0]?.ports?.[0]?.name === "h2c" ? "h2c" : "http1",
      requestTimeout: (revision.spec.timeoutSeconds ?? 300) * 1000,
      concurrency: revision.spec.containerConcurrency || 80,
      scale: () => scaleOf(state, key),
      idleMilliseconds,
      queueMilliseconds,
    });
  };

  const start = async (key: string, revision: KnativeRevision, signal: AbortSignal): Promise<Instance> => {
    const image = imageOf(revision);
    const around = await surround(key);
    let secrets: InstanceSecrets | undefined;
    const leave = () => {
      around.close();
      secrets?.close();
    };
    const log: Surroundings["log"] = (stream, line) => {
      onLog(key, stream, line);
      around.log(stream, line);
    };
    try {
      secrets = openInstanceSecrets(state, key.split("/")[0] ?? "", revision);
      const instance = await startInstance({ revision, secrets, ...image, ...around, log }, signal);
      void instance.exited.then(leave);
      return instance;
    } catch (error) {
      leave();
      throw error;
    }
  };

  const imageOf = ({ status }: KnativeRevision) => {
    const digest = status.imageDigest?.split("@")[1] ?? "";
    const image = state.images.get(digest);
    if (!image) throw new StartupError("ContainerMissing", `Image '${status.imageDigest ?? ""}' not found.`);
    const runner = engine.runnerOf(image.engine);
    if (!runner) {
      throw new StartupError(
        "ContainerMissing",
        `Image '${status.imageDigest}' was built by the ${image.engine} engine; the ${engine.name} engine cannot run it. Build it again.`,
      );
    }
    return { engine: runner, config: image.config, directory: imageDirectory(state, digest) };
  };

  const poolOf = (key: string): Pool => {
    if (closed) throw new InstanceError(500, "The emulator is stopping.");
    const pool = pools.get(key) ?? openPool(key);
    pools.set(key, pool);
    return pool;
  };

  return {
    take: (key, instanceId) => poolOf(key).take(instanceId),
    acquire: async (key, signal, instanceId) => poolOf(key).acquire(signal, instanceId),
    keepLeast(key) {
      if (!closed && scaleOf(state, key).least > 0) poolOf(key).keep();
    },
    async stopRevision(key) {
      const pool = pools.get(key);
      if (!pool) return;
      pools.delete(key);
      retired.add(pool);
      pool.retire();
      await pool.empty;
      retired.delete(pool);
    },
    async close() {
      closed = true;
      await Promise.all([...pools.values(), ...retired].map((pool) => pool.close()));
      pools.clear();
    },
  };
}

const nothingAround: Surround = async () => ({ environment: {}, log: () => undefined, say: () => undefined, close: () => undefined });
