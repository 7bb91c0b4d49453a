import { expect, test } from "vitest";
import { PROJECT } from "../../helpers/api-server.ts";
import { IMAGE, openRun } from "../../helpers/run-server.ts";

const SERVICES = `/v2/projects/${PROJECT}/locations/us-central1/services`;

test.for<[string, object, string]>([
  [
    "an unknown field",
    { template: { containers: [], replicas: 3 } },
    `Invalid JSON payload received. Unknown name "replicas" at 'service.template': Cannot find field.`,
  ],
  [
    "what the emulator has not",
    { template: { nodeSelector: { accelerator: "nvidia-l4" } } },
    "Invalid value at 'service.template.nodeSelector'",
  ],
  ["a wrong type", { template: { timeout: 300 } }, "Invalid value at 'service.template.timeout'"],
  ["no template", {}, "Violation in CreateServiceRequest.service.template: required field not present."],
  [
    "an annotation of Google's",
    { template: { annotations: { "autoscaling.knative.dev/maxScale": "1" } } },
    "Violation in CreateServiceRequest.service.template.annotations[autoscaling.knative.dev/maxScale]: system annotations are not supported in Cloud Run API v2.",
  ],
  [
    "what v1 refuses",
    { template: { containers: [{ image: IMAGE, env: [{ name: "PORT", value: "1" }] }] } },
    "template.containers[0].env: The following reserved env names were provided: PORT.",
  ],
])("%s is rejected in v2's words", async ([, service, message]) => {
  const { send } = await openRun();
  const { status, json } = await send("POST", `${SERVICES}?serviceId=hello`, service);
  expect(status).toBe(400);
  expect(json["error"]).toMatchObject({ status: "INVALID_ARGUMENT", message: expect.stringContaining(message) });
});
