import { randomUUID } from "node:crypto";
import type { Instance } from "../../engine/engine.ts";
import { InstanceError } from "./instance-error.ts";
import type { Scaling } from "./scaling.ts";
import { SHUTDOWN_GRACE_PERIOD_MS } from "./start-instance.ts";

/** The first and the longest pause before a minimum instance is started again. */
const [FIRST_RETRY_PAUSE_MS, MAX_RETRY_PAUSE_MS] = [1000, 60_000];

/** One request's share of an instance, until `release`. */
export interface Lease {
  /** The loopback port that the instance listens on. */
  readonly port: number;
  readonly instanceId: string;
  /** The instance's protocol: HTTP/1.1, or HTTP/2 without TLS. */
  readonly protocol: "http1" | "h2c";
  readonly requestTimeoutMs: number;
  release(): void;
}

export interface Pool {
  /** Leases an instance like `acquire`, but only if one is free right now. */
  tryAcquire(instanceId?: string): Lease | undefined;
  /** Leases an instance, preferably the one of `instanceId`; starts one if none is free. Throws InstanceError, and the signal's reason. */
  acquire(signal: AbortSignal, instanceId?: string): Promise<Lease>;
  /** Starts the minimum number of instances; retries failed starts with growing pauses. */
  ensureMinInstances(): void;
  /** Stops each instance as soon as it has no requests. */
  retire(): void;
  close(): Promise<void>;
  /** Resolves when a retired pool has no instances left. */
  readonly empty: Promise<void>;
}

interface PoolOptions extends Pick<Lease, "protocol" | "requestTimeoutMs"> {
  readonly start: (signal: AbortSignal) => Promise<Instance>;
  readonly concurrency: number;
  /** The minimum and maximum number of instances; read repeatedly, since it can change. */
  readonly readScaling: () => Scaling;
  readonly idleTimeoutMs: number;
  /** How long a request waits at least for an instance if no more can start. */
  readonly minQueueTimeoutMs: number;
}

interface PooledInstance {
  readonly id: string;
  readonly instance: Instance;
  activeRequests: number;
  idleTimer: NodeJS.Timeout | undefined;
}

interface Waiter {
  readonly resolve: (lease: Lease) => void;
  readonly reject: (error: unknown) => void;
}

export function createPool({ start, concurrency, readScaling, minQueueTimeoutMs, ...options }: PoolOptions): Pool {
  const running = new Set<PooledInstance>();
  const waiters = new Set<Waiter>();
  const closing = new AbortController();
  const pendingStops = new Set<Promise<void>>();
  let { idleTimeoutMs } = options;
  let starting = 0;
  let isRetired = false;
  let retryPauseMs = 0;
  let retryTimer: NodeJS.Timeout | undefined;
  let queueTimeoutMs = minQueueTimeoutMs;
  let resolveEmpty: () => void;
  const empty = new Promise<void>((resolve) => (resolveEmpty = resolve));

  const checkEmpty = () => {
    if (isRetired && starting === 0 && running.size === 0 && waiters.size === 0 && pendingStops.size === 0) resolveEmpty();
  };
  const stop = (pooled: PooledInstance) => {
    if (!running.delete(pooled)) return;
    clearTimeout(pooled.idleTimer);
    const stopped = pooled.instance.stop(SHUTDOWN_GRACE_PERIOD_MS).finally(() => {
      pendingStops.delete(stopped);
      checkEmpty();
    });
    pendingStops.add(stopped);
  };
  const stopWhenIdle = (pooled: PooledInstance) => {
    if (pooled.activeRequests > 0 || !running.has(pooled)) return;
    if (idleTimeoutMs === 0) return stop(pooled);
    pooled.idleTimer = setTimeout(() => (running.size > readScaling().minInstances ? stop(pooled) : stopWhenIdle(pooled)), idleTimeoutMs);
  };
  const createLease = (pooled: PooledInstance): Lease => {
    clearTimeout(pooled.idleTimer);
    pooled.activeRequests += 1;
    let isHeld = true;
    const release = () => {
      if (!isHeld) return;
      isHeld = false;
      pooled.activeRequests -= 1;
      serveWaiters();
      stopWhenIdle(pooled);
    };
    return {
      port: pooled.instance.port,
      instanceId: pooled.id,
      protocol: options.protocol,
      requestTimeoutMs: options.requestTimeoutMs,
      release,
    };
  };
  const findFree = (id?: string) => {
    let first: PooledInstance | undefined;
    for (const pooled of running) {
      if (pooled.activeRequests >= concurrency) continue;
      if (pooled.id === id || id === undefined) return pooled;
      first ??= pooled;
    }
    return first;
  };
  const startInstance = async () => {
    starting += 1;
    const startedAt = performance.now();
    try {
      const instance = await start(closing.signal);
      const readyAt = performance.now();
      // Three and a half startup times: https://cloud.google.com/run/docs/about-instance-autoscaling
      queueTimeoutMs = Math.max(minQueueTimeoutMs, 3.5 * (readyAt - startedAt));
      const pooled: PooledInstance = { id: randomUUID(), instance, activeRequests: 0, idleTimer: undefined };
      running.add(pooled);
      void instance.exited.then(() => {
        clearTimeout(pooled.idleTimer);
        if (running.delete(pooled)) growRetryPause(performance.now() - readyAt);
        serveWaiters();
        ensureMinInstances();
      });
      starting -= 1;
      serveWaiters();
      stopWhenIdle(pooled);
    } catch (error) {
      starting -= 1;
      growRetryPause(0);
      for (const waiter of [...waiters].slice(0, concurrency)) waiter.reject(error);
      serveWaiters();
    }
    ensureMinInstances();
  };
  const growRetryPause = (uptimeMs: number) => {
    retryPauseMs = uptimeMs > MAX_RETRY_PAUSE_MS ? 0 : Math.min(retryPauseMs * 2 || FIRST_RETRY_PAUSE_MS, MAX_RETRY_PAUSE_MS);
  };
  const ensureMinInstances = () => {
    if (isRetired || retryTimer || running.size + starting >= readScaling().minInstances) return;
    retryTimer = setTimeout(() => {
      retryTimer = undefined;
      void startInstance();
      ensureMinInstances();
    }, retryPauseMs);
  };
  const serveWaiters = () => {
    for (const waiter of waiters) {
      const free = findFree();
      if (!free) break;
      waiter.resolve(createLease(free));
    }
    while (starting < waiters.size / concurrency && running.size + starting < readScaling().maxInstances) void startInstance();
    checkEmpty();
  };

  const retire = () => {
    isRetired = true;
    idleTimeoutMs = 0;
    clearTimeout(retryTimer);
    for (const pooled of running) stopWhenIdle(pooled);
    checkEmpty();
  };

  const tryAcquire = (instanceId?: string): Lease | undefined => {
    const free = waiters.size === 0 ? findFree(instanceId) : undefined;
    return free && createLease(free);
  };

  return {
    empty,
    ensureMinInstances,
    retire,
    tryAcquire,
    async acquire(signal, instanceId) {
      signal.throwIfAborted();
      const lease = tryAcquire(instanceId);
      if (lease) return lease;
      return new Promise((resolve, reject) => {
        const removeWaiter = () => {
          waiters.delete(waiter);
          clearTimeout(timer);
          signal.removeEventListener("abort", abort);
        };
        const waiter: Waiter = {
          resolve: (lease) => (removeWaiter(), resolve(lease)),
          reject: (error) => (removeWaiter(), reject(error as Error)),
        };
        const abort = () => waiter.reject(signal.reason);
        const timer = setTimeout(() => {
          if (starting > 0) timer.refresh();
          else waiter.reject(new InstanceError(429, "The request was aborted because there was no available instance."));
        }, queueTimeoutMs);
        signal.addEventListener("abort", abort);
        waiters.add(waiter);
        serveWaiters();
      });
    },
    async close() {
      closing.abort(new InstanceError(500, "The emulator is stopping."));
      for (const waiter of waiters) waiter.reject(closing.signal.reason);
      retire();
      for (const pooled of running) stop(pooled);
      await empty;
    },
  };
}
