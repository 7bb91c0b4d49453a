import { CliError } from "../errors/cli-error.ts";
import { externalStep, nextStep, type NextStep } from "../errors/next-step.ts";
import { toOneLine } from "../errors/one-line.ts";
import type { Reason } from "../errors/reasons.ts";

interface RefusedExchange {
  /** The account whose token was refused. */
  readonly key: { readonly client_email: string };
  readonly host: string;
  /** The response's Date header. */
  readonly date: string | undefined;
  /** Local time when the response arrived, in milliseconds since the epoch. */
  readonly now: number;
}

interface Help {
  readonly hint?: string;
  readonly next?: readonly NextStep[];
}

export const SIGN_IN_STEP = externalStep("To sign in", "gcloud", "auth", "application-default", "login");
/** Signs in with an OAuth client of the user's own, which private services don't accept without impersonation. */
export const OWN_CLIENT_SIGN_IN_STEP = nextStep("To sign in without gcloud", "login", "--client-id-file", "CLIENT_FILE");
export const SET_CLOCK_STEP = externalStep("To synchronize the clock on Linux", "sudo", "timedatectl", "set-ntp", "true");

/** Google's known refusals, by `ERROR DESCRIPTION`. The first match wins. */
const KNOWN_REFUSALS: readonly (readonly [RegExp, Reason, (account: string) => Help])[] = [
  [
    /Invalid JWT Signature/i,
    "KEY_UNKNOWN",
    (account) => ({
      hint: "The key was deleted, disabled, or replaced.",
      next: [nextStep("To list the account's keys", "keys", "list", "--account", account)],
    }),
  ],
  [
    /account not found/i,
    "ACCOUNT_DELETED",
    (account) => ({
      hint: `${account} was deleted, or an emulator key file was used with Google (or a Google key file with the emulator).`,
    }),
  ],
  [/^deleted_client/, "CLIENT_DELETED", () => ({ hint: "The OAuth client was deleted.", next: [SIGN_IN_STEP] })],
  [/disabled/i, "ACCOUNT_DISABLED", (account) => ({ next: [enableStep(account)] })],
  [
    /audience check|right audience/i,
    "TOKEN_URI_WRONG",
    () => ({ hint: "The key file's token_uri doesn't match the token endpoint. Google's is https://oauth2.googleapis.com/token." }),
  ],
  [
    /scope or ID token audience/i,
    "AUDIENCE_INVALID",
    () => ({ hint: "Use the service URL as the audience: https://SERVICE-PROJECT_NUMBER.REGION.run.app." }),
  ],
  [
    /^unauthorized_client/,
    "UNAUTHORIZED_CLIENT",
    (account) => ({ hint: `${account} needs domain-wide delegation for these scopes to act for a user: https://admin.google.com` }),
  ],
  [/expired or revoked|invalid_rapt|reauth/i, "SIGN_IN_EXPIRED", () => ({ next: [SIGN_IN_STEP] })],
  [
    /^invalid_request|^unsupported_grant_type/,
    "REQUEST_MALFORMED",
    () => ({ hint: "The token_uri isn't Google's token endpoint, or a proxy modifies requests." }),
  ],
];

export function enableStep(account: string): NextStep {
  return externalStep("To enable the account", "gcloud", "iam", "service-accounts", "enable", account);
}

/** The error for a token endpoint's refusal (RFC 6749, section 5.2): the endpoint's own words, the reason, and help. */
export function explainTokenRefusal(fields: Readonly<Record<string, unknown>>, exchange: RefusedExchange): CliError {
  const { key, host } = exchange;
  const error = toOneLine(fields["error"]);
  const description = toOneLine(fields["error_description"]);
  const refusalText = description ? `${description.replace(/\.$/, "")} (${error})` : error;
  const details = { error, error_description: description };
  if (/short-lived token|reasonable timeframe/i.test(description)) return explainSkew(refusalText, details, exchange);
  const [, reason, help] = KNOWN_REFUSALS.find(([pattern]) => pattern.test(`${error} ${description}`) || pattern.test(description)) ?? [];
  return new CliError("TOKEN_REFUSED", `${host} refused to issue a token for ${key.client_email}: ${refusalText}.`, {
    ...help?.(key.client_email),
    reason,
    details,
  });
}

function explainSkew(refusalText: string, details: object, { host, date, now }: RefusedExchange): CliError {
  const skew = Math.round((now - Date.parse(date ?? "")) / 1000);
  // The header has whole seconds, and the response took time.
  const fault =
    Math.abs(skew) > 5
      ? `This computer's clock is ${formatDuration(Math.abs(skew))} ${skew > 0 ? "ahead of" : "behind"} ${host}'s`
      : `According to ${host}, this computer's clock is wrong`;
  return new CliError("CLOCK_SKEW", `${fault}: ${refusalText}.`, {
    next: [SET_CLOCK_STEP],
    reason: "CLOCK_OFF",
    details: { ...details, ...(Number.isFinite(skew) && { skew_seconds: skew }) },
  });
}

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
