import type { TokenHeader } from "../../invoke/headers.ts";
import { CliError } from "../../errors/cli-error.ts";
import type { Admission } from "./check-host.ts";
import type { Addresses } from "./headers.ts";
import type { Journal } from "./request-log.ts";
import type { Refusals } from "./rejections.ts";
import type { Page } from "./status-page.ts";
import type { TokenKeeper } from "./token-refresh.ts";
import type { Upstream } from "./upstream.ts";

/** All that a request needs on its way through. */
export interface Door {
  readonly admit: Admission;
  /** The addresses to rewrite, for a caller that calls the proxy by this host. */
  addressesFor(host: string): Addresses;
  /** The token's header where Authorization is the caller's own. */
  readonly secondCarrier: TokenHeader;
  readonly tokens: TokenKeeper;
  readonly upstream: Upstream;
  readonly journal: Journal;
  readonly refusals: Refusals;
  status(accept: string | undefined, own: string): Page;
}

/** Where the proxy says what it does. */
export const STATUS_PATH = "/.cloudrun-oauth";

/** True where a path is the proxy's own page. */
export function isStatusPath(path: string): boolean {
  return path.startsWith(STATUS_PATH) && (path.length === STATUS_PATH.length || path[STATUS_PATH.length] === "?");
}

/** A text that the proxy itself answers with. */
export function textPage(status: number, text: string): Page {
  return { status, headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" }, body: `${text}\n` };
}

/** What is answered where the service gave no answer, or no token was to be had. */
export function failurePage(error: unknown, { upstream }: Pick<Door, "upstream">): Page & { readonly error: CliError } {
  const failure = error instanceof CliError ? error : upstream.explain(error);
  const { code, message, hint } = failure;
  return { ...textPage(code === "TIMEOUT" ? 504 : 502, hint === undefined ? message : `${message}\n${hint}`), error: failure };
}
