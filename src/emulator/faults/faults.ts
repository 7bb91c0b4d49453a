import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "../server/errors.ts";
import { faultResponse } from "./fault-response.ts";
import { resetConnection, truncateBody } from "./break-connection.ts";
import { parseFault, type Fault } from "./fault.ts";
import { matchesUrl } from "./match.ts";

/** The faults that the emulator injects, in the order in which they were added. */
export interface Faults {
  list(): readonly Fault[];
  /** Throws ApiError INVALID_ARGUMENT if the request isn't valid. */
  add(body: unknown): Fault;
  /** Throws ApiError NOT_FOUND. */
  remove(id: number): void;
  clear(): void;
  /** Applies the first fault that matches a request. True if the request needs no other response. */
  inject(request: IncomingMessage, response: ServerResponse, host: string): Promise<boolean>;
}

/** `now` gives milliseconds since the epoch. */
export function createFaults(now: () => number): Faults {
  const faults = new Map<number, Fault>();
  let last = 0;

  /** The first fault that matches a request; counts it. */
  const take = (method: string, host: string, path: string): Fault | undefined => {
    const fault = [...faults.values()].find(
      (each) => (each.method ?? method) === method && each.times !== 0 && matchesUrl(each.match, host, path),
    );
    if (fault) {
      const { times, struck } = fault;
      faults.set(fault.id, { ...fault, struck: struck + 1, ...(times !== undefined && { times: times - 1 }) });
    }
    return fault;
  };

  return {
    list: () => [...faults.values()],
    add(body) {
      const fault = { id: (last += 1), ...parseFault(body), struck: 0 };
      faults.set(fault.id, fault);
      return fault;
    },
    remove(id) {
      if (!faults.delete(id)) throw new ApiError("NOT_FOUND", `Fault ${id} not found.`);
    },
    clear: () => faults.clear(),
    async inject(request, response, host) {
      const target = request.url ?? "/";
      const fault = take(request.method ?? "GET", host, target.split("?", 1)[0] as string);
      if (!fault) return false;
      if (fault.latency_ms) await pause(fault.latency_ms, response);
      if (response.destroyed) return true;
      if (fault.truncate !== undefined) truncateBody(response, fault.truncate);
      if (fault.reset) {
        resetConnection(response);
        return true;
      }
      if (fault.status === undefined) return false;
      const { status, headers, body } = faultResponse(host, target, {
        status: fault.status,
        retryAfter: fault.retry_after,
        reason: fault.reason,
      });
      const date = new Date(now()).toUTCString();
      response.writeHead(status, { date, "content-length": Buffer.byteLength(body as string), ...headers });
      response.end(request.method === "HEAD" ? undefined : body);
      return true;
    },
  };
}

/** Waits, or returns when the client disconnects. */
async function pause(milliseconds: number, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  response.once("close", leave);
  await sleep(milliseconds, undefined, { signal: gone.signal }).catch(() => undefined);
  response.off("close", leave);
}
