import { setMaxListeners } from "node:events";
import type { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../errors/cli-error.ts";
import { explainFailure } from "./network-error.ts";
import { enablePreconnect } from "./preconnect.ts";
import type { Request, Response, Send } from "./request.ts";
import { readResponse } from "./response.ts";
import { pauseBeforeRetry, type Outcome } from "./retry.ts";
import { createRouter, type Route } from "./route.ts";
import { sendOnce } from "./send-once.ts";
import { createAgent } from "./tunnel.ts";
import { startStopwatch } from "./stopwatch.ts";

interface SendOptions {
  /** Contains CLOUDRUN_OAUTH_EMULATOR, HTTP_PROXY, HTTPS_PROXY, and NO_PROXY. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends requests in progress; its reason is thrown if it is a CliError. */
  readonly signal?: AbortSignal;
  /** Takes a line for each request, without headers. */
  readonly debug?: (text: string) => void;
  /** Takes a line before a long pause. */
  readonly note?: (text: string) => void;
}

/** A longer pause between attempts is announced. */
const MAX_SILENT_PAUSE_MS = 1000;

/**
 * Sends requests over connections that are kept alive: requests to Google's hosts to the emulator if one is set, others through the environment's proxy, or
 * direct. Doesn't follow redirects. Retries as the request says. Throws CliError UNAVAILABLE, TIMEOUT, EMULATOR_NOT_RUNNING, SETTINGS_INVALID, or the
 * signal's reason.
 */
export function createSend({ env, signal, debug = () => {}, note = () => {} }: SendOptions): Send {
  // Every request in progress listens to the signal: more than ten listeners are no leak.
  if (signal) setMaxListeners(0, signal);
  const findRoute = createRouter(env);
  const agents = new Map<string, { readonly agent: Agent; readonly connect: ReturnType<typeof enablePreconnect> }>();

  const agentFor = (route: Route) => {
    const key = `${route.isSecure} ${route.tunnel?.href ?? ""}`;
    const existing = agents.get(key);
    if (existing) return existing;
    const agent = createAgent(route, signal, { keepAlive: true });
    const created = { agent, connect: enablePreconnect(agent) };
    agents.set(key, created);
    return created;
  };

  const usedOrigins = new Set<string>();
  const connect = (url: URL): void => {
    if (usedOrigins.has(url.origin)) return;
    usedOrigins.add(url.origin);
    const route = findRoute(url);
    agentFor(route).connect(route.target);
  };

  const send = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    usedOrigins.add(url.origin);
    const route = findRoute(url);
    const signals = [signal, request.signal].filter((given) => given !== undefined);
    for (let attempts = 1; ; attempts += 1) {
      const abortError = findAbortError(signals, url);
      if (abortError) throw abortError;
      const elapsedMs = startStopwatch();
      const outcome: Outcome = await sendOnce(request, route, agentFor(route).agent, signals).then(
        (response) => ({ response }),
        (error: unknown) => ({ error }),
      );
      const result =
        "response" in outcome ? String(outcome.response.statusCode) : ((outcome.error as NodeJS.ErrnoException).code ?? "failed");
      const durationMs = Math.round(elapsedMs());
      debug(`${request.method} ${url.origin}${url.pathname}${url.search} → ${result} (${durationMs} ms${route.note})`);

      const pauseMs = findAbortError(signals, url) ? undefined : pauseBeforeRetry(attempts, outcome, request, route);
      if (pauseMs === undefined) {
        const explain = (error: unknown): CliError => findAbortError(signals, url) ?? explainFailure(error, url, route);
        if ("response" in outcome) return readResponse(outcome.response, request.method, explain);
        throw explain(outcome.error);
      }
      if ("response" in outcome) outcome.response.destroy();
      if (pauseMs > MAX_SILENT_PAUSE_MS) note(`${url.host}: ${result}; retrying in ${Math.round(pauseMs / 1000)} s`);
      await sleep(pauseMs, undefined, { signal: AbortSignal.any(signals) }).catch(() => {});
    }
  };
  return Object.assign(send, { connect });
}

function findAbortError(signals: readonly AbortSignal[], url: URL): CliError | undefined {
  const { reason } = (signals.find(({ aborted }) => aborted) ?? {}) as { readonly reason?: Error };
  if (reason === undefined || reason instanceof CliError) return reason;
  if (reason.name === "TimeoutError")
    return new CliError("TIMEOUT", `${url.host} took too long to respond.`, { details: { host: url.host } });
  return new CliError("INTERRUPTED", "Interrupted.");
}
