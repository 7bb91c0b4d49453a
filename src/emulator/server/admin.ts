import type { IncomingMessage } from "node:http";
import { RequestBody } from "./request-body.ts";
import type { Clock } from "./clock.ts";
import { ApiError, invalidArgument } from "./errors.ts";
import type { Faults } from "../faults/faults.ts";
import type { LogStore } from "../logging/log-store.ts";
import { streamEntries } from "../logging/stream-entries.ts";
import { createLogin, ensureUser, findLogin } from "../oauth2/logins.ts";
import { jsonResponse, HttpResponse } from "./http-response.ts";
import type { State } from "../state/state.ts";

interface AdminOptions {
  readonly status: () => object;
  readonly createCallerKey: () => Promise<void>;
  readonly reset: () => Promise<void>;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly logs: () => LogStore;
  readonly state: () => Pick<State, "users" | "logins">;
}

type Answer = (body: () => Promise<Record<string, unknown>>, id: number, query: URLSearchParams) => unknown;

/** Creates the handler for requests to the emulator's own address, which the `emulator …` commands send. Durations are in milliseconds. */
export function createAdmin({
  status,
  createCallerKey,
  reset,
  faults,
  clock,
  logs,
  state,
}: AdminOptions): (request: IncomingMessage, url: URL) => Promise<HttpResponse> {
  const time = () => ({ now: new Date(clock.now()).toISOString(), shift_ms: clock.shiftMs });
  const answers: Readonly<Record<string, Answer>> = {
    // The status names the caller's key file.
    "GET /_emulator/status": async () => {
      await createCallerKey();
      return status();
    },
    "POST /_emulator/reset": async () => {
      faults.clear();
      clock.setShift(0);
      await reset();
      return status();
    },
    "GET /_emulator/faults": () => ({ faults: faults.list() }),
    "POST /_emulator/faults": async (body) => faults.add(await body()),
    "DELETE /_emulator/faults": () => {
      faults.clear();
      return { faults: [] };
    },
    "DELETE /_emulator/faults/ID": (_, id) => {
      faults.remove(id);
      return { faults: faults.list() };
    },
    "GET /_emulator/logs": async (_body, _id, query) =>
      new HttpResponse(200, { "content-type": "application/x-ndjson" }, await streamEntries(logs(), query)),
    "GET /_emulator/users": () => ({
      users: state()
        .users.list()
        .map(({ email }) => ({ email })),
    }),
    "POST /_emulator/users": async (body) => {
      const { email } = ensureUser(state(), String((await body())["email"]));
      return { email };
    },
    "POST /_emulator/logins": async (body) => {
      const { email, scopes } = await body();
      return createLogin(state(), ensureUser(state(), String(email)), Array.isArray(scopes) ? scopes.map(String) : undefined);
    },
    "POST /_emulator/logins/check": async (body) => {
      const login = findLogin(state(), String((await body())["refresh_token"]));
      return { known: login !== undefined };
    },
    "GET /_emulator/clock": time,
    "PUT /_emulator/clock": async (body) => {
      const { shift_ms: shift } = await body();
      if (typeof shift !== "number" || Number.isNaN(new Date(Date.now() + shift).getTime()))
        throw invalidArgument("shift_ms must be a number of milliseconds.");
      clock.setShift(shift);
      return time();
    },
  };

  return async (request, url) => {
    const [, path = url.pathname, id = ""] = /^(\/_emulator\/faults)\/(\d+)$/.exec(url.pathname) ?? [];
    const answer = answers[`${request.method} ${path}${id && "/ID"}`];
    if (answer) {
      // A web page can't set this header without a CORS preflight, which the emulator never approves.
      if (request.method !== "GET" && request.headers["x-cloudrun-oauth"] !== "emulator")
        throw new ApiError("PERMISSION_DENIED", "The header X-Cloudrun-Oauth is missing.");
      const result = await answer(() => new RequestBody(request).json(), Number(id), url.searchParams);
      return result instanceof HttpResponse ? result : jsonResponse(result);
    }
    if (request.method === "GET" && path === "/") {
      const text = 'cloudrun-oauth emulator. To use it in a shell, run: eval "$(cloudrun-oauth emulator env)"\n';
      return new HttpResponse(200, { "content-type": "text/plain; charset=UTF-8" }, text);
    }
    throw new ApiError("NOT_FOUND", `${url.pathname} not found on the emulator.`);
  };
}
