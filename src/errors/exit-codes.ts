/** Every deliberate failure of the tool, and the exit code that the process ends with. */
export const EXIT_CODES = {
  BUG: 1, // anything thrown that is not a CliError
  GCLOUD_FAILED: 1, // gcloud failed for a reason without a separate code
  BUILD_FAILED: 1, // Cloud Build ran the build and it failed
  DEPLOY_FAILED: 1, // Cloud Run created the revision and it didn't become ready
  EMULATOR_FAILED: 1, // the emulator could not start or stop: port taken, disk full, already running
  PROXY_FAILED: 1, // the proxy could not listen: port taken, address not found
  USAGE: 2, // flags or arguments are not valid
  SETTINGS_INVALID: 2, // a settings file or a setting's value is not valid
  CREDENTIALS_MISSING: 3, // no credentials were found
  CREDENTIALS_INVALID: 3, // a credential file is not valid
  TOKEN_REFUSED: 3, // the token endpoint refused
  CLOCK_SKEW: 3, // the token endpoint refused because the local clock is wrong
  NOT_FOUND: 4, // service, project, image or path does not exist
  PERMISSION_DENIED: 5, // the caller lacks a role
  ORG_POLICY: 5, // an organization policy forbids it
  CONFLICT: 5, // it was changed at the same time, or exists already
  GCLOUD_MISSING: 6, // gcloud is not installed
  NODE_OUTDATED: 6, // this version of Node is too old
  ENGINE_MISSING: 6, // no container engine can run this image
  EMULATOR_NOT_RUNNING: 6, // --emulator without a running emulator
  UNAVAILABLE: 7, // network trouble, after all retries
  TIMEOUT: 7, // --timeout ran out
  HTTP_STATUS: 8, // the service itself returned 400 or above
  LOAD_FAILED: 8, // load: more requests failed, or responses were slower, than is allowed
  NOT_AUTHENTICATED: 9, // Cloud Run's front end found no valid credential
  NOT_AUTHORIZED: 9, // Cloud Run's front end found a valid credential of a caller without access
  NOT_REACHABLE: 9, // Cloud Run's front end does not expose the service to this caller
  INTERRUPTED: 130, // Ctrl-C
} as const;

export type ErrorCode = keyof typeof EXIT_CODES;
