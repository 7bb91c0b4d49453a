import type { IncomingMessage } from "node:http";
import type { RequestLog } from "../logging/request-log.ts";
import { InstanceError } from "../run/instances/instance-error.ts";
import type { Instances } from "../run/instances/instances.ts";
import { keyOf } from "../run/names.ts";
import type { Lease } from "../run/instances/pool.ts";
import { hasSessionAffinity } from "../run/resolve-host.ts";
import type { Runtime } from "../runtime.ts";
import { checkAccess } from "./check-access.ts";
import { unavailable, type Page } from "./error-pages.ts";
import { forward } from "./forward.ts";
import { sendPage, type CallerResponse } from "./response.ts";
import { readSession, sessionCookie } from "./session-affinity.ts";
import { traceOf } from "./trace.ts";

/** Answers a call to a service's host, which is in lower case and without its port. */
export type FrontDoor = (request: IncomingMessage, response: CallerResponse, host: string) => Promise<void>;

type FrontDoorOptions = Pick<Runtime, "state" | "signingKeys" | "now"> & {
  readonly instances: Instances;
  readonly requestLog?: RequestLog;
};

/** A call to a service: route, authenticate, authorize, forward to an instance. */
export function createFrontDoor({ instances, requestLog, ...runtime }: FrontDoorOptions): FrontDoor {
  const { now } = runtime;
  return async (request, response, host) => {
    const trace = traceOf(request.headers);
    let explain: ((text: string) => void) | undefined;
    const refuse = (page: Page): void => {
      if (page.explanation !== undefined) explain?.(page.explanation);
      sendPage(page, { request, response, trace, now: now() });
    };

    const { rawHeaders, url = "/" } = request;
    // No call is internal: a service that calls another one comes in through the front door.
    const access = await checkAccess(runtime, { host, path: url, rawHeaders, isInternal: false });
    if (access.route) explain = requestLog?.({ request, response, host, trace, route: access.route });
    if (access.refusal) return refuse(access.refusal);

    const { place, revisionName } = access.route;
    const key = keyOf(place, revisionName);
    let callerGone: AbortController | undefined;
    /** A request that waits for an instance leaves the queue when its caller goes away. */
    const waitForInstance = (instanceId: string | undefined): Promise<Lease> => {
      const controller = (callerGone = new AbortController());
      response.once("close", () => controller.abort());
      return instances.acquire(key, controller.signal, instanceId);
    };
    try {
      const session = readSession(rawHeaders);
      const lease = instances.tryAcquire(key, session?.instanceId) ?? (await waitForInstance(session?.instanceId));
      const isNewSession = session?.instanceId !== lease.instanceId && hasSessionAffinity(runtime.state, place, revisionName);
      const addedHeaders = isNewSession ? ["Set-Cookie", sessionCookie({ revisionName, instanceId: lease.instanceId }, now())] : [];
      try {
        const page = await forward(request, response, { instance: lease, rawHeaders: access.rawHeaders, addedHeaders, trace, now });
        if (page) refuse(page);
      } finally {
        lease.release();
      }
    } catch (error) {
      if (callerGone?.signal.aborted) return;
      if (!(error instanceof InstanceError)) throw error;
      refuse(unavailable(error.status, error.message));
    }
  };
}
