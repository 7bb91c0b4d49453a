import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "../server/errors.ts";
import { faultResponse } from "./fault-response.ts";
import { resetConnection, truncateBody } from "./break-connection.ts";
import { parseFault, type Fault } from "./fault.ts";
import { matchesUrl } from "./match.ts";

/** What is to go wrong in this emulator, in the order in which it was asked for. */
export interface Faults {
  list(): readonly Fault[];
  /** Throws ApiError INVALID_ARGUMENT for what is no fault. */
  add(body: unknown): Fault;
  /** Throws ApiError NOT_FOUND. */
  remove(id: number): void;
  clear(): void;
  /** Does to a request what the first fault says that matches it. True where nothing is left to answer. */
  inject(request: IncomingMessage, response: ServerResponse, host: string): Promise<boolean>;
}

/** `now` gives milliseconds since the epoch. */
export function createFaults(now: () => number): Faults {
  const faults = new Map<number, Fault>();
  let last = 0;

  /** The fault that a request meets, counted. */
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
      if (!faults.delete(id)) throw new ApiError("NOT_FOUND", `There is no fault ${id}.`);
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

/** Waits so many milliseconds, or until the client has gone. */
async function pause(milliseconds: number, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  response.once("close", leave);
  await sleep(milliseconds, undefined, { signal: gone.signal }).catch(() => undefined);
  response.off("close", leave);
}
