import { expect, test } from "vitest";
import { findDeviations, GOOGLE_APIS } from "./google-apis.ts";

const PROJECT = "https://us-central1-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/p/services/hello";
const BUILD = "https://cloudbuild.googleapis.com/v1/projects/p/locations/global/builds";

test.for([
  [
    "a field that Google does not have",
    "GET",
    PROJECT,
    { metadata: { name: "string", nmae: "string" } },
    "there is no field .metadata.nmae",
  ],
  ["a number for a string", "GET", PROJECT, { metadata: { name: "number" } }, '.metadata.name is a number and has to be "string"'],
  ["null", "GET", PROJECT, { metadata: { name: "null" } }, '.metadata.name is a null and has to be "string"'],
  [
    "a string for a number",
    "GET",
    PROJECT,
    { metadata: { generation: "string" } },
    '.metadata.generation is a string and has to be "integer"',
  ],
  [
    "one for many",
    "GET",
    PROJECT,
    { spec: { traffic: { percent: "number" } } },
    '.spec.traffic is an object and has to be ["#TrafficTarget"]',
  ],
  ["many for one", "GET", PROJECT, { spec: ["string"] }, '.spec is a list and has to be "#ServiceSpec"'],
  [
    "a wrong item among right ones",
    "GET",
    PROJECT,
    { spec: { traffic: [{}, { percent: "string" }] } },
    ".spec.traffic[].percent is a string",
  ],
  ["a wrong value in a map", "GET", PROJECT, { metadata: { labels: { any: "number" } } }, ".metadata.labels.any is a number"],
  ["a method that Google does not have", "POST", `${PROJECT}:restart`, {}, "is no method of Google's"],
  ["an operation's metadata, by the type that it says", "POST", BUILD, operation({ id: "number" }), ".metadata.build.id is a number"],
] as const)("%s is a deviation", ([, method, url, answer, deviation]) => {
  expect(findDeviations({ method, url, answer })).toEqual([expect.stringContaining(deviation)]);
});

test.for([
  [
    "GET",
    PROJECT,
    { metadata: { name: "string", generation: "number", labels: { any: "string" } }, spec: { traffic: [{ percent: "number" }] } },
  ],
  ["POST", BUILD, operation({ id: "string" })],
  ["GET", "https://cloudbuild.googleapis.com/v1/operations/build/p/id", { name: "string", done: "boolean" }],
  ["GET", "https://storage.googleapis.com/storage/v1/b/bucket/o/folder%2Fname", { size: "string", metadata: {} }],
  ["POST", "https://storage.googleapis.com/upload/storage/v1/b/bucket/o", { name: "string" }],
  // Not described here.
  ["GET", "https://cloudresourcemanager.googleapis.com/v3/projects/p", { anything: "number" }],
  ["POST", "https://oauth2.googleapis.com/token", { anything: "number" }],
] as const)("%s %s can be answered with %j", ([method, url, answer]) => {
  expect(findDeviations({ method, url, answer })).toEqual([]);
});

test("every named type is described", () => {
  for (const [name, { methods, types }] of Object.entries(GOOGLE_APIS)) {
    const named = JSON.stringify(types).matchAll(/"#([^"]+)"/g);
    const answers = Object.values(methods).flatMap(([, , answer]) => answer || []);
    expect({ name, missing: [...answers, ...[...named].map(([, type]) => type as string)].filter((type) => !types[type]) }).toEqual({
      name,
      missing: [],
    });
  }
});

function operation(build: object) {
  return { name: "string", metadata: { "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata", build } };
}
