import { CliError } from "../errors.ts";
import type { ServiceAccountKey } from "./service-account-key.ts";

interface Circumstances {
  readonly key: ServiceAccountKey;
  readonly host: string;
  /** The answer's Date header. */
  readonly date: string | undefined;
  /** Milliseconds since the epoch, by this machine's clock, when the answer came. */
  readonly now: number;
}

/** What to do about the refusals that Google is known for, by what their description says. */
const REMEDIES: readonly (readonly [RegExp, (key: ServiceAccountKey) => string])[] = [
  [
    /Invalid JWT Signature/i,
    ({ client_email }) =>
      `The key was deleted or replaced. Which there are: gcloud iam service-accounts keys list --iam-account ${client_email}`,
  ],
  [
    /account not found/i,
    ({ client_email }) =>
      `${client_email} was deleted, or is another cloud's: an emulator's key file is unknown to Google, and Google's to an emulator.`,
  ],
  [/disabled/i, ({ client_email }) => `gcloud iam service-accounts enable ${client_email}`],
  [
    /audience check|right audience/i,
    () => "The token_uri of the key file is not how this token endpoint calls itself; Google's is https://oauth2.googleapis.com/token",
  ],
  [/scope or ID token audience/i, () => "The audience is the service's URL, such as https://SERVICE-PROJECT_NUMBER.REGION.run.app"],
];

/** The error for a token endpoint's refusal (RFC 6749, section 5.2), in the endpoint's own words, with what helps. */
export function explainTokenRefusal(fields: Readonly<Record<string, unknown>>, circumstances: Circumstances): CliError {
  const { key, host } = circumstances;
  const error = clean(fields["error"]);
  const description = clean(fields["error_description"]);
  const said = description ? `${description.replace(/\.$/, "")} (${error})` : error;
  const details = { error, error_description: description };
  if (/short-lived token|reasonable timeframe/i.test(description)) return explainSkew(said, details, circumstances);
  const [, remedy] = REMEDIES.find(([pattern]) => pattern.test(description)) ?? [];
  return new CliError("TOKEN_REFUSED", `${host} refused a token for ${key.client_email}: ${said}.`, {
    ...(remedy && { hint: remedy(key) }),
    details,
  });
}

function explainSkew(said: string, details: object, { host, date, now }: Circumstances): CliError {
  const skew = Math.round((now - Date.parse(date ?? "")) / 1000);
  // The header has whole seconds, and the answer was under way.
  const off =
    Math.abs(skew) > 5
      ? `This machine's clock is ${inWords(Math.abs(skew))} ${skew > 0 ? "ahead of" : "behind"} the clock of ${host}`
      : `${host} finds this machine's clock wrong`;
  return new CliError("CLOCK_SKEW", `${off}: ${said}.`, {
    hint: "Set this machine's clock, on Linux by: sudo timedatectl set-ntp true",
    details: { ...details, ...(Number.isFinite(skew) && { skew_seconds: skew }) },
  });
}

function inWords(seconds: number): string {
  const units: readonly (readonly [number, string])[] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const [size, unit] = units.find(([length]) => seconds >= length) ?? [1, "s"];
  return `${Math.round((seconds / size) * 10) / 10} ${unit}`;
}

/** What another machine says, as a part of one line. */
export function clean(text: unknown): string {
  return typeof text === "string"
    ? text
        .replace(/[\p{Cc}\p{Cf}]+/gu, " ")
        .slice(0, 300)
        .trim()
    : "";
}
