import { timingSafeEqual } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CliError } from "../../errors/cli-error.ts";

export interface CodeReceiver {
  /** Where the browser is sent back to. */
  readonly redirectUri: string;
  /** Waits for the authorization code. Throws CliError TOKEN_REFUSED if the user denies access, TIMEOUT, or the signal's reason. */
  wait(signal: AbortSignal): Promise<string>;
  close(): void;
}

export const SIGN_IN_TIMEOUT_MINUTES = 5;

/** Opens a loopback port that receives the response to an authorization request: RFC 8252, section 7.3. */
export async function openCodeReceiver(state: string): Promise<CodeReceiver> {
  let settle: ((outcome: { readonly code: string } | { readonly error: CliError }) => void) | undefined;
  const outcome = new Promise<{ readonly code: string } | { readonly error: CliError }>((resolve) => (settle = resolve));

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
    if (request.method !== "GET" || pathname !== "/") return respond(response, 404, "Not found.");
    // Any page can send a request here: only the response to this sign-in has its state.
    if (!isEqual(searchParams.get("state") ?? "", state)) return respond(response, 400, "This isn't the response to the current sign-in.");
    if (!settle) return respond(response, 400, "This sign-in has already ended.");
    const [code, error] = [searchParams.get("code"), searchParams.get("error")];
    if (code) settle({ code });
    else settle({ error: explainDenial(error ?? "") });
    settle = undefined;
    respond(
      response,
      200,
      code ? "Signed in. You can close this page and return to the terminal." : "Sign-in was canceled. You can close this page.",
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(new CliError("PROXY_FAILED", `Can't listen on 127.0.0.1: ${cause.code ?? cause.message}.`, { cause })),
    );
    server.listen(0, "127.0.0.1", resolve);
  });

  return {
    redirectUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async wait(signal) {
      let abort = (): void => {};
      let timer: NodeJS.Timeout | undefined;
      const ended = new Promise<never>((_, reject) => {
        abort = () => reject(signal.reason as Error);
        const late = () => reject(new CliError("TIMEOUT", `You didn't sign in within ${SIGN_IN_TIMEOUT_MINUTES} minutes.`));
        timer = setTimeout(late, SIGN_IN_TIMEOUT_MINUTES * 60_000);
        signal.addEventListener("abort", abort);
        if (signal.aborted) abort();
      });
      try {
        const received = await Promise.race([outcome, ended]);
        if ("error" in received) throw received.error;
        return received.code;
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
      }
    },
    close() {
      server.close();
      server.closeIdleConnections();
    },
  };
}

/** RFC 6749, section 4.1.2.1. The text comes from a request, so only a known form is shown. */
function explainDenial(error: string): CliError {
  const name = /^[a-z_]{1,40}$/.test(error) ? error : "invalid response";
  if (name === "access_denied") return new CliError("TOKEN_REFUSED", "Sign-in was denied.", { details: { error: name } });
  return new CliError("TOKEN_REFUSED", `Sign-in failed: ${name}.`, { details: { error: name } });
}

function isEqual(received: string, expected: string): boolean {
  const [one, other] = [Buffer.from(received), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function respond(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "cache-control": "no-store",
    connection: "close",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "content-type": "text/html; charset=utf-8",
    // The page's URL contains the code.
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  });
  response.end(`<!doctype html><meta charset="utf-8"><title>cloudrun-oauth login</title><p>${text}</p>\n`);
}
