import type { Environment } from "./context.ts";

/** Our own variables that take precedence over the emulator's, and would point a command to Google Cloud. */
const OVERRIDING_VARIABLES = [
  "CLOUDRUN_OAUTH_PROJECT",
  "CLOUDRUN_OAUTH_REGION",
  "CLOUDRUN_OAUTH_CREDENTIALS_JSON",
  "CLOUDRUN_OAUTH_CREDENTIALS",
  "CLOUDRUN_OAUTH_IMPERSONATE_SERVICE_ACCOUNT",
  "CLOUDRUN_OAUTH_MEMBER",
];

/** An environment with an emulator's variables merged into it; null and undefined stand for a variable that must not be set. */
export function mergeEnvironment(env: Environment, emulator: Readonly<Record<string, string | null | undefined>>): Environment {
  const merged: Record<string, string | undefined> = { ...env };
  for (const name of OVERRIDING_VARIABLES) delete merged[name];
  for (const [name, value] of Object.entries(emulator)) {
    if (value == null) delete merged[name];
    else merged[name] = value;
  }
  return merged;
}
