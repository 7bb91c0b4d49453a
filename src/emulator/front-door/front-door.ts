import type { RequestLog } from "../logging/request-log.ts";
import { InstanceError } from "../run/instances/instance-error.ts";
import type { Instances } from "../run/instances/instances.ts";
import { keyOf } from "../run/naming.ts";
import type { Lease } from "../run/instances/pool.ts";
import { keepsSessions } from "../run/route.ts";
import type { Runtime } from "../runtime.ts";
import { admit } from "./admit.ts";
import { unavailable, type Page } from "./error-pages.ts";
import type { Passage } from "./passage.ts";
import { readSession, sessionCookie } from "./session-affinity.ts";
import { traceOf } from "./trace.ts";

/** Answers a call to a service's host, which is in lower case and without its port. */
export type FrontDoor = (passage: Passage, host: string) => Promise<void>;

interface FrontDoorOptions extends Pick<Runtime, "state" | "signingKeys" | "now"> {
  readonly instances: Instances;
  readonly requestLog?: RequestLog;
}

/** A call to a service: route, authenticate, authorize, pass on. */
export function createFrontDoor({ instances, requestLog, ...runtime }: FrontDoorOptions): FrontDoor {
  return async (passage, host) => {
    const { request } = passage;
    const trace = traceOf(request.headers);
    let explain: ((text: string) => void) | undefined;
    const refuse = (page: Page): void => {
      if (page.explanation !== undefined) explain?.(page.explanation);
      passage.refuse(page, trace);
    };

    const { rawHeaders, url = "/" } = request;
    // No call comes from within: a service that calls another one comes in by the front door.
    const admission = await admit(runtime, { host, path: url, rawHeaders, isInternal: false });
    if (admission.route) explain = requestLog?.({ passage, host, trace, route: admission.route });
    if (admission.refusal) return refuse(admission.refusal);

    const key = keyOf(admission.route.place, admission.route.revisionName);
    let gone: AbortController | undefined;
    /** Who waits for a place leaves the queue when its caller has gone. */
    const wait = (instanceId: string | undefined): Promise<Lease> => {
      const controller = (gone = new AbortController());
      passage.onOver(() => controller.abort());
      return instances.acquire(key, controller.signal, instanceId);
    };
    try {
      const { place, revisionName } = admission.route;
      const session = readSession(rawHeaders);
      const lease = instances.take(key, session?.instanceId) ?? (await wait(session?.instanceId));
      const isNew = session?.instanceId !== lease.instanceId && keepsSessions(runtime.state, place, revisionName);
      const added = isNew ? ["Set-Cookie", sessionCookie({ revisionName, instanceId: lease.instanceId }, runtime.now())] : [];
      try {
        const page = await passage.passOn({ instance: lease, rawHeaders: admission.rawHeaders, added, trace });
        if (page) refuse(page);
      } finally {
        lease.release();
      }
    } catch (error) {
      if (gone?.signal.aborted) return;
      if (!(error instanceof InstanceError)) throw error;
      refuse(unavailable(error.status, error.message));
    }
  };
}
