import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestLog } from "../logging/request-log.ts";
import { hearOut } from "../reply.ts";
import { InstanceError } from "../run/instance-error.ts";
import type { Instances } from "../run/instances.ts";
import { keyOf } from "../run/naming.ts";
import { keepsSessions } from "../run/route.ts";
import type { Runtime } from "../runtime.ts";
import { admit } from "./admit.ts";
import { unavailable, type Page } from "./pages.ts";
import { frontEndHeaders, writeHead } from "./answer.ts";
import { passOn } from "./pass-on.ts";
import { readSession, sessionCookie } from "./session.ts";
import { traceOf, type Trace } from "./trace.ts";

export type FrontDoor = (request: IncomingMessage, response: ServerResponse, host: string) => Promise<void>;

interface FrontDoorOptions extends Pick<Runtime, "state" | "signingKeys" | "now"> {
  readonly instances: Instances;
  /** Whether a request comes from a service of this emulator, which counts as internal; none does where it is not said. */
  readonly isInternal?: (request: IncomingMessage) => boolean;
  readonly requestLog?: RequestLog;
}

/** A call to a service: route, authenticate, authorize, pass on. */
export function createFrontDoor({ instances, isInternal = () => false, requestLog, ...runtime }: FrontDoorOptions): FrontDoor {
  return async (request, response, host) => {
    const trace = traceOf(request.headers);
    let explain: ((text: string) => void) | undefined;
    const refuse = (page: Page): void => {
      if (page.explanation !== undefined) explain?.(page.explanation);
      refuseWith(page, request, response, trace);
    };

    const { rawHeaders, url = "/" } = request;
    const admission = await admit(runtime, { host, path: url, rawHeaders, isInternal: isInternal(request) });
    if (admission.route) explain = requestLog?.({ request, response, host, trace, route: admission.route });
    if (admission.refusal) return refuse(admission.refusal);

    const key = keyOf(admission.route.place, admission.route.revisionName);
    const gone = new AbortController();
    // To abort takes long, and there is nobody to hear it where the answer is out.
    response.on("close", () => response.writableFinished || gone.abort());
    try {
      const { place, revisionName } = admission.route;
      const session = readSession(rawHeaders);
      const lease = await instances.acquire(key, gone.signal, session?.instanceId);
      const isNew = session?.instanceId !== lease.instanceId && keepsSessions(runtime.state, place, revisionName);
      const added = isNew ? ["Set-Cookie", sessionCookie({ revisionName, instanceId: lease.instanceId }, runtime.now())] : [];
      try {
        const page = await passOn(request, response, { instance: lease, rawHeaders: admission.rawHeaders, added, trace });
        if (page) refuse(page);
      } finally {
        lease.release();
      }
    } catch (error) {
      if (gone.signal.aborted) return;
      if (!(error instanceof InstanceError)) throw error;
      refuse(unavailable(error.status, error.message));
    }
  };
}

function refuseWith(page: Page, request: IncomingMessage, response: ServerResponse, trace: Trace): void {
  const body = page.body as string;
  const headers = [...Object.entries(page.headers).flat(), "Content-Length", String(Buffer.byteLength(body)), ...frontEndHeaders(trace)];
  hearOut(request, response);
  writeHead(response, page.status, headers);
  response.end(request.method === "HEAD" ? undefined : body);
}
