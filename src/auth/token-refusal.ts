import { CliError } from "../errors/cli-error.ts";
import { toOneLine } from "../errors/one-line.ts";
import type { Reason } from "../errors/reasons.ts";

interface RefusedExchange {
  /** The account whose token was refused. */
  readonly key: { readonly client_email: string };
  readonly host: string;
  /** The response's Date header. */
  readonly date: string | undefined;
  /** Milliseconds since the epoch, by this machine's clock, when the response arrived. */
  readonly now: number;
}

interface KnownRefusal {
  readonly reason: Reason;
  /** The hint for an account, which is an email address. */
  readonly remedy: (account: string) => string;
}

/** Google's known refusals, by `ERROR DESCRIPTION`. The first match wins. */
const KNOWN_REFUSALS: readonly (readonly [RegExp, KnownRefusal])[] = [
  [
    /Invalid JWT Signature/i,
    {
      reason: "KEY_UNKNOWN",
      remedy: (account) =>
        `The key was deleted, disabled or replaced. Which there are: gcloud iam service-accounts keys list --iam-account ${account}`,
    },
  ],
  [
    /account not found/i,
    {
      reason: "ACCOUNT_DELETED",
      remedy: (account) =>
        `${account} was deleted, or is another cloud's: an emulator's key file is unknown to Google, and Google's to an emulator.`,
    },
  ],
  [
    /^deleted_client/,
    { reason: "CLIENT_DELETED", remedy: () => "The OAuth client is gone. Sign in again: gcloud auth application-default login" },
  ],
  [/disabled/i, { reason: "ACCOUNT_DISABLED", remedy: (account) => `gcloud iam service-accounts enable ${account}` }],
  [
    /audience check|right audience/i,
    {
      reason: "TOKEN_URI_WRONG",
      remedy: () =>
        "The token_uri of the key file is not how this token endpoint calls itself; Google's is https://oauth2.googleapis.com/token",
    },
  ],
  [
    /scope or ID token audience/i,
    {
      reason: "AUDIENCE_INVALID",
      remedy: () => "The audience is the service's URL, such as https://SERVICE-PROJECT_NUMBER.REGION.run.app",
    },
  ],
  [
    /^unauthorized_client/,
    {
      reason: "UNAUTHORIZED_CLIENT",
      remedy: (account) =>
        `${account} may not act for somebody else: leave that out, or have domain-wide delegation set up for these scopes at https://admin.google.com`,
    },
  ],
  [
    /expired or revoked|invalid_rapt|reauth/i,
    { reason: "SIGN_IN_EXPIRED", remedy: () => "Sign in again: gcloud auth application-default login" },
  ],
  [
    /^invalid_request|^unsupported_grant_type/,
    { reason: "REQUEST_MALFORMED", remedy: () => "Is the token_uri that of Google's token endpoint, or does a proxy change requests?" },
  ],
];

/** The error for a token endpoint's refusal (RFC 6749, section 5.2): the endpoint's own words, the reason, and a hint. */
export function explainTokenRefusal(fields: Readonly<Record<string, unknown>>, exchange: RefusedExchange): CliError {
  const { key, host } = exchange;
  const error = toOneLine(fields["error"]);
  const description = toOneLine(fields["error_description"]);
  const refusalText = description ? `${description.replace(/\.$/, "")} (${error})` : error;
  const details = { error, error_description: description };
  if (/short-lived token|reasonable timeframe/i.test(description)) return explainSkew(refusalText, details, exchange);
  const [, known] = KNOWN_REFUSALS.find(([pattern]) => pattern.test(`${error} ${description}`) || pattern.test(description)) ?? [];
  return new CliError("TOKEN_REFUSED", `${host} refused a token for ${key.client_email}: ${refusalText}.`, {
    ...(known && { hint: known.remedy(key.client_email) }),
    reason: known?.reason,
    details,
  });
}

function explainSkew(refusalText: string, details: object, { host, date, now }: RefusedExchange): CliError {
  const skew = Math.round((now - Date.parse(date ?? "")) / 1000);
  // The header has whole seconds, and the response took time.
  const off =
    Math.abs(skew) > 5
      ? `This machine's clock is ${formatDuration(Math.abs(skew))} ${skew > 0 ? "ahead of" : "behind"} the clock of ${host}`
      : `${host} finds this machine's clock wrong`;
  return new CliError("CLOCK_SKEW", `${off}: ${refusalText}.`, {
    hint: SET_CLOCK_HINT,
    reason: "CLOCK_OFF",
    details: { ...details, ...(Number.isFinite(skew) && { skew_seconds: skew }) },
  });
}

export const SET_CLOCK_HINT = "Set this machine's clock, on Linux by: sudo timedatectl set-ntp true";

/** A duration with its largest unit: `2 h`, `1.5 min`. */
export function formatDuration(seconds: number): string {
  const units: readonly (readonly [number, string])[] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const [size, unit] = units.find(([length]) => seconds >= length) ?? [1, "s"];
  return `${Math.round((seconds / size) * 10) / 10} ${unit}`;
}
