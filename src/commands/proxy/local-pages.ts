import type { IncomingHttpHeaders } from "node:http";
import { CliError } from "../../errors/cli-error.ts";
import type { Page, RequestContext } from "./request-context.ts";

/** The path of the page that shows the proxy's state. */
export const STATUS_PATH = "/.cloudrun-oauth";

interface LocalRequest {
  readonly host: string | undefined;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly method: string | undefined;
  readonly isWebSocket?: boolean;
}

/** The page that the proxy answers a request with by itself; undefined if the request is for the service. */
export function localPage(
  { host, path, headers, method, isWebSocket = false }: LocalRequest,
  { checkHost, statusPage }: Pick<RequestContext, "checkHost" | "statusPage">,
): Page | undefined {
  const refusal = checkHost(host, headers, method, isWebSocket);
  if (refusal) return textPage(refusal.status, refusal.message);
  const isStatusPath = path === STATUS_PATH || path.startsWith(`${STATUS_PATH}?`);
  return isStatusPath ? statusPage(headers.accept, `http://${host}`) : undefined;
}

/** The page for a request that got no response from the service, or no token. */
export function failurePage(error: unknown, { connections }: Pick<RequestContext, "connections">): Page & { readonly error: CliError } {
  const failure = error instanceof CliError ? error : connections.explain(error);
  const { code, message, hint } = failure;
  return { ...textPage(code === "TIMEOUT" ? 504 : 502, hint === undefined ? message : `${message}\n${hint}`), error: failure };
}

function textPage(status: number, text: string): Page {
  return { status, headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" }, body: `${text}\n` };
}
