import { CliError } from "../../errors/cli-error.ts";
import type { Send } from "../../http/request.ts";

/** The public keys of Google: anyone can read them, and a captive portal answers with something else. */
const PROBE_URL = "https://www.googleapis.com/oauth2/v3/certs";

const PROBE_TIMEOUT_MS = 5000;

export interface GoogleProbe {
  readonly host: string;
  readonly durationMs: number;
  /** How far the local clock is ahead; undefined if the response has no date. */
  readonly clockSkewSeconds: number | undefined;
}

/** Requests something public from Google. Throws UNAVAILABLE, TIMEOUT, EMULATOR_NOT_RUNNING, or SETTINGS_INVALID. */
export async function probeGoogle(send: Send): Promise<GoogleProbe> {
  const { host } = new URL(PROBE_URL);
  const started = Date.now();
  const answer = await send({ method: "GET", url: PROBE_URL, timeoutMs: PROBE_TIMEOUT_MS, retry: { times: 1 } });
  const ended = Date.now();
  const text = await answer.text();
  if (answer.status !== 200 || !text.includes('"keys"')) {
    throw new CliError("UNAVAILABLE", `${host} returned an unexpected response (status ${answer.status}).`, {
      hint: "A proxy or the network's sign-in page might be intercepting requests.",
      details: { host, status_code: answer.status },
    });
  }
  const date = Date.parse(answer.headers["date"] ?? "");
  // The header has whole seconds, and Google wrote it during the request.
  const clockSkewSeconds = Number.isNaN(date) ? undefined : Math.round(((started + ended) / 2 - date - 500) / 1000);
  return { host, durationMs: ended - started, clockSkewSeconds };
}
