import { expect, test } from "vitest";
import { readScaling } from "../../../../src/emulator/run/instances/scaling.ts";
import { KEY, openInstances } from "../../../helpers/instances.ts";

const NAME = "hello-00001-abc";
const ALL = [{ revisionName: NAME, percent: 100 }];
const HALF = [
  { revisionName: NAME, percent: 30 },
  { revisionName: "other", percent: 50 },
  { revisionName: NAME, percent: 20 },
];
const MIN = "autoscaling.knative.dev/minScale";

test.for([
  ["nothing is set", {}, ALL, {}, { minInstances: 0, maxInstances: 10 }],
  ["the revision sets it", { [MIN]: "2", "autoscaling.knative.dev/maxScale": "5" }, ALL, {}, { minInstances: 2, maxInstances: 5 }],
  ["the revision has no traffic", { [MIN]: "2" }, [], {}, { minInstances: 0, maxInstances: 10 }],
  ["the revision only has a tag", { [MIN]: "2" }, [{ revisionName: NAME, tag: "green" }], {}, { minInstances: 2, maxInstances: 10 }],
  ["it exceeds the limit of one machine", { [MIN]: "50" }, ALL, {}, { minInstances: 10, maxInstances: 10 }],
  [
    "the minimum exceeds the maximum",
    { [MIN]: "3", "autoscaling.knative.dev/maxScale": "2" },
    ALL,
    {},
    { minInstances: 2, maxInstances: 2 },
  ],
  ["the service sets it", {}, HALF, { "run.googleapis.com/minScale": "3" }, { minInstances: 2, maxInstances: 10 }],
  [
    "the service is scaled manually",
    { [MIN]: "9" },
    ALL,
    { "run.googleapis.com/scalingMode": "manual", "run.googleapis.com/manualInstanceCount": "4" },
    { minInstances: 4, maxInstances: 4 },
  ],
] as const)("a revision's scaling if %s", ([, annotations, traffic, serviceAnnotations, scale]) => {
  const { state, route } = openInstances({ annotations });
  route(traffic, serviceAnnotations);
  expect(readScaling(state, KEY)).toEqual(scale);
});
