import { assert, property, stringMatching } from "fast-check";
import { expect, test } from "vitest";
import { deterministicUrl, hashLabel, hashUrl, createRevisionName, urlsOf } from "../../../src/emulator/run/names.ts";
import { REGIONS } from "../../../src/emulator/run/regions.ts";

const project = { projectId: "demo-project", projectNumber: "123456789012", name: "Demo", createTime: "2026-01-01T00:00:00Z" };
const place = { project, region: "us-central1" };
const serviceName = stringMatching(/^[a-z][a-z0-9-]{0,61}[a-z0-9]$/);

test("a service has a hash URL with its region's code, and before it a deterministic one with its project's number", () => {
  expect(hashUrl(place, "hello")).toMatch(/^https:\/\/hello-[a-z2-7]{10}-uc\.a\.run\.app$/);
  expect(deterministicUrl(place, "hello")).toBe("https://hello-123456789012.us-central1.run.app");
  expect(urlsOf(place, "hello")).toEqual([deterministicUrl(place, "hello"), hashUrl(place, "hello")]);
});

test("all services of a project share the hash, and no two projects do", () => {
  const hash = (id: string, region = "us-central1") => hashLabel({ project: { ...project, projectId: id }, region }, "a").split("-")[1];
  expect(hash("demo-project", "europe-west1")).toBe(hash("demo-project"));
  expect(hash("other-project")).not.toBe(hash("demo-project"));
});

test("a tag precedes the hash URL", () => {
  expect(hashUrl(place, "hello", "blue")).toBe(hashUrl(place, "hello").replace("https://", "https://blue---"));
});

test("no name is too long for a host, and two names never share a host", () => {
  assert(
    property(serviceName, serviceName, (one, other) => {
      expect(hashLabel(place, one).length).toBeLessThanOrEqual(63);
      if (one !== other) expect(hashLabel(place, one)).not.toBe(hashLabel(place, other));
      expect(createRevisionName(one, 1).length).toBeLessThanOrEqual(63);
    }),
  );
  const long = "a".repeat(60);
  expect(hashLabel(place, `${long}-b`)).not.toBe(hashLabel(place, `${long}-c`));
  expect(urlsOf(place, long)).toEqual([hashUrl(place, long)]);
});

test("a revision is named after its service, the generation and three letters", () => {
  expect(createRevisionName("hello", 12)).toMatch(/^hello-00012-[a-z0-9]{3}$/);
});

test("no two regions have the same code", () => {
  expect(new Set([...REGIONS.values()].map(({ code }) => code)).size).toBe(REGIONS.size);
});
