import { randomUUID } from "node:crypto";
import type { Instance } from "../../engine/engine.ts";
import { InstanceError } from "./instance-error.ts";
import type { Scale } from "./scale.ts";
import { GRACE } from "./startup.ts";

/** In milliseconds: the first pause and the longest before an instance that is to be kept is started once more. */
const [FIRST_PAUSE, LONGEST_PAUSE] = [1000, 60_000];

/** One request's place in an instance, held until `release`. */
export interface Lease {
  /** The loopback port that the instance listens on. */
  readonly port: number;
  /** What tells the instance from all others. */
  readonly instanceId: string;
  /** What the instance speaks: HTTP/1.1, or HTTP/2 without TLS. */
  readonly protocol: "http1" | "h2c";
  /** Milliseconds until the whole answer must be there. */
  readonly requestTimeout: number;
  release(): void;
}

/** The instances of one revision. */
export interface Pool {
  /** A place that is free at once, as `acquire` would choose it. */
  take(instanceId?: string): Lease | undefined;
  /** A place in an instance, in the one of `instanceId` if it has one, started where there is none; throws InstanceError, and the signal's reason. */
  acquire(signal: AbortSignal, instanceId?: string): Promise<Lease>;
  /** Starts as many instances as are to be kept; those that fail to start are tried again, ever more slowly. */
  keep(): void;
  /** Lets each instance go as soon as it has no request. */
  retire(): void;
  /** Stops all instances, whatever they do. */
  close(): Promise<void>;
  /** Resolves when nothing is left of a retired pool. */
  readonly empty: Promise<void>;
}

interface PoolOptions extends Pick<Lease, "protocol" | "requestTimeout"> {
  readonly start: (signal: AbortSignal) => Promise<Instance>;
  /** Requests that one instance takes at once. */
  readonly concurrency: number;
  /** How many instances there may be, and how many there are even without a request; looked at again and again, since it may change. */
  readonly scale: () => Scale;
  /** How long an instance stays without a request. */
  readonly idleMilliseconds: number;
  /** How long a request waits at least for a place where no further instance may start. */
  readonly queueMilliseconds: number;
}

interface Running {
  readonly id: string;
  readonly instance: Instance;
  active: number;
  idle: NodeJS.Timeout | undefined;
}

interface Waiter {
  readonly resolve: (lease: Lease) => void;
  readonly reject: (error: unknown) => void;
}

export function createPool({ start, concurrency, scale, queueMilliseconds, ...options }: PoolOptions): Pool {
  const running = new Set<Running>();
  const waiters = new Set<Waiter>();
  const closing = new AbortController();
  const stops = new Set<Promise<void>>();
  let { idleMilliseconds } = options;
  let starting = 0;
  let retired = false;
  let pause = 0;
  let retry: NodeJS.Timeout | undefined;
  let patience = queueMilliseconds;
  let report: () => void;
  const empty = new Promise<void>((resolve) => (report = resolve));

  const reportEmpty = () => {
    if (retired && starting === 0 && running.size === 0 && waiters.size === 0 && stops.size === 0) report();
  };
  const stop = (each: Running) => {
    if (!running.delete(each)) return;
    clearTimeout(each.idle);
    const stopped = each.instance.stop(GRACE).finally(() => {
      stops.delete(stopped);
      reportEmpty();
    });
    stops.add(stopped);
  };
  const rest = (each: Running) => {
    if (each.active > 0 || !running.has(each)) return;
    if (idleMilliseconds === 0) return stop(each);
    each.idle = setTimeout(() => (running.size > scale().least ? stop(each) : rest(each)), idleMilliseconds);
  };
  const lease = (each: Running): Lease => {
    clearTimeout(each.idle);
    each.active += 1;
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      each.active -= 1;
      pump();
      rest(each);
    };
    return { port: each.instance.port, instanceId: each.id, protocol: options.protocol, requestTimeout: options.requestTimeout, release };
  };
  const findFree = (id?: string) => {
    let first: Running | undefined;
    for (const each of running) {
      if (each.active >= concurrency) continue;
      if (each.id === id || id === undefined) return each;
      first ??= each;
    }
    return first;
  };
  const launch = async () => {
    starting += 1;
    const begun = performance.now();
    try {
      const instance = await start(closing.signal);
      const started = performance.now();
      // https://cloud.google.com/run/docs/about-instance-autoscaling: as long as three and a half starts.
      patience = Math.max(queueMilliseconds, 3.5 * (started - begun));
      const each: Running = { id: randomUUID(), instance, active: 0, idle: undefined };
      running.add(each);
      void instance.exited.then(() => {
        clearTimeout(each.idle);
        if (running.delete(each)) slowDown(performance.now() - started);
        pump();
        keep();
      });
      starting -= 1;
      pump();
      rest(each);
    } catch (error) {
      starting -= 1;
      slowDown(0);
      for (const waiter of [...waiters].slice(0, concurrency)) waiter.reject(error);
      pump();
    }
    keep();
  };
  const slowDown = (lived: number) => {
    pause = lived > LONGEST_PAUSE ? 0 : Math.min(pause * 2 || FIRST_PAUSE, LONGEST_PAUSE);
  };
  const keep = () => {
    if (retired || retry || running.size + starting >= scale().least) return;
    retry = setTimeout(() => {
      retry = undefined;
      void launch();
      keep();
    }, pause);
  };
  const pump = () => {
    for (const waiter of waiters) {
      const free = findFree();
      if (!free) break;
      waiter.resolve(lease(free));
    }
    while (starting < waiters.size / concurrency && running.size + starting < scale().most) void launch();
    reportEmpty();
  };

  const retire = () => {
    retired = true;
    idleMilliseconds = 0;
    clearTimeout(retry);
    for (const each of running) rest(each);
    reportEmpty();
  };

  const take = (instanceId?: string): Lease | undefined => {
    const free = waiters.size === 0 ? findFree(instanceId) : undefined;
    return free && lease(free);
  };

  return {
    empty,
    keep,
    retire,
    take,
    async acquire(signal, instanceId) {
      signal.throwIfAborted();
      const taken = take(instanceId);
      if (taken) return taken;
      return new Promise((resolve, reject) => {
        const leave = () => {
          waiters.delete(waiter);
          clearTimeout(timer);
          signal.removeEventListener("abort", abort);
        };
        const waiter: Waiter = {
          resolve: (taken) => (leave(), resolve(taken)),
          reject: (error) => (leave(), reject(error as Error)),
        };
        const abort = () => waiter.reject(signal.reason);
        const timer = setTimeout(() => {
          if (starting > 0) timer.refresh();
          else waiter.reject(new InstanceError(429, "The request was aborted because there was no available instance."));
        }, patience);
        signal.addEventListener("abort", abort);
        waiters.add(waiter);
        pump();
      });
    },
    async close() {
      closing.abort(new InstanceError(500, "The emulator is stopping."));
      for (const waiter of waiters) waiter.reject(closing.signal.reason);
      retire();
      for (const each of running) stop(each);
      await empty;
    },
  };
}
