import { CliError } from "../../errors/cli-error.ts";
import type { Send } from "../../http/client.ts";

/** Google's public keys: whoever has no credential may read them, and every captive portal answers something else. */
const PROBE = "https://www.googleapis.com/oauth2/v3/certs";

/** Milliseconds. */
const TIMEOUT = 5000;

export interface Reached {
  readonly host: string;
  /** Milliseconds that the answer took. */
  readonly took: number;
  /** Seconds that this machine's clock is ahead of Google's; undefined where the answer does not say the time. */
  readonly skew: number | undefined;
}

/** Asks Google for something public. Throws CliError: UNAVAILABLE, TIMEOUT, EMULATOR_NOT_RUNNING, SETTINGS_INVALID. */
export async function reachGoogle(send: Send): Promise<Reached> {
  const { host } = new URL(PROBE);
  const started = Date.now();
  const answer = await send({ method: "GET", url: PROBE, timeout: TIMEOUT, retry: { times: 1 } });
  const ended = Date.now();
  const text = await answer.text();
  if (answer.status !== 200 || !text.includes('"keys"')) {
    throw new CliError("UNAVAILABLE", `Something that is not Google answers for ${host}, with ${answer.status}.`, {
      hint: "Sign in to the network where it has a page for that, or have the proxy let the request through.",
      details: { host, status_code: answer.status },
    });
  }
  const date = Date.parse(answer.headers["date"] ?? "");
  // The header has whole seconds, and was written while the request was under way.
  const skew = Number.isNaN(date) ? undefined : Math.round(((started + ended) / 2 - date - 500) / 1000);
  return { host, took: ended - started, skew };
}
