import { expect, test } from "vitest";
import { matchesUrl } from "../../../src/emulator/faults/match.ts";

test.for([
  ["oauth2.googleapis.com/token", "oauth2.googleapis.com", "/token", true],
  ["oauth2.googleapis.com/token", "oauth2.googleapis.com", "/tokeninfo", false],
  ["oauth2.googleapis.com", "oauth2.googleapis.com", "/tokeninfo", true],
  ["OAUTH2.googleapis.com", "oauth2.googleapis.com", "/token", true],
  ["oauth2xgoogleapis.com", "oauth2.googleapis.com", "/token", false],
  ["*.run.app", "hello-abc-uc.a.run.app", "/", true],
  ["*.run.app", "run.googleapis.com", "/", false],
  ["*run.googleapis.com", "run.googleapis.com", "/v1", true],
  ["*run.googleapis.com", "us-central1-run.googleapis.com", "/v1", true],
  ["/v1/projects/*/locations", "run.googleapis.com", "/v1/projects/p/locations", true],
  ["/v1/projects/*/locations", "run.googleapis.com", "/v1/projects/p/q/locations", false],
  ["/v1/**", "run.googleapis.com", "/v1/projects/p/q/locations", true],
  ["run.googleapis.com/", "run.googleapis.com", "/v1", false],
  ["**", "run.googleapis.com", "/v1", true],
  ["/a+(b)", "run.googleapis.com", "/a+(b)", true],
] as const)("%s and %s%s: %s", ([pattern, host, path, expected]) => {
  expect(matchesUrl(pattern, host, path)).toBe(expected);
});
