import { expect, test } from "vitest";
import { audienceFor, readServiceUrl } from "../../src/auth/audience.ts";

test.for([
  ["https://hello-abc123-uc.a.run.app", "https://hello-abc123-uc.a.run.app"],
  ["https://hello-abc123-uc.a.run.app/a/b?c#d", "https://hello-abc123-uc.a.run.app"],
  ["https://candidate---hello-abc123-uc.a.run.app/", "https://hello-abc123-uc.a.run.app"],
  ["https://v-1---hello-123456789012.us-central1.run.app/x", "https://hello-123456789012.us-central1.run.app"],
  ["https://api.example.com/x", "https://api.example.com"],
  ["https://a---b.example.com/x", "https://a---b.example.com"],
  ["http://127.0.0.1:8080/x", "http://127.0.0.1:8080"],
] as const)("the audience for %s is %s", ([url, audience]) => {
  expect(audienceFor(new URL(url))).toBe(audience);
});

test.for([
  ["https://hello-abc123-uc.a.run.app", { service: "hello" }],
  ["https://tag---my-hello-abc123-ew.a.run.app/x", { service: "my-hello" }],
  ["https://my-hello-123456789012.europe-west1.run.app", { service: "my-hello", region: "europe-west1" }],
  ["https://example.com", undefined],
  ["http://127.0.0.1:1", undefined],
] as const)("%s names %o", ([url, named]) => {
  expect(readServiceUrl(new URL(url))).toEqual(named);
});
