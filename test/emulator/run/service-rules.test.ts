import { expect, test } from "vitest";
import { IMAGE, openRun, service, SERVICES, type Wanted } from "../../helpers/run-server.ts";

const CONTAINER = "spec.template.spec.containers[0]";
const limits = (cpu: string, memory: string) => ({ container: { resources: { limits: { cpu, memory } } } });
const blue = { latestRevision: true, percent: 100, tag: "blue" };

test.for<[Wanted, string, RegExp]>([
  [{ name: "Hello" }, "metadata.name", /^only lowercase, digits, and hyphens; must begin with letter/],
  [{ name: "hello-" }, "metadata.name", /may not end with hyphen/],
  [{ spec: { containers: [] } }, "spec.template.spec.containers", /Exactly one container/],
  [{ spec: { containers: [{ image: IMAGE }, { image: IMAGE }] } }, "spec.template.spec.containers", /Exactly one container/],
  [{ image: "ghcr.io/o/n" }, `${CONTAINER}.image`, /^Expected an image path like .* but obtained ghcr\.io\/o\/n$/],
  [{ image: "gcr.io/P/N" }, `${CONTAINER}.image`, /^Expected an image path like/],
  [{ container: { ports: [{ containerPort: 70_000 }] } }, `${CONTAINER}.ports[0].containerPort`, /between 1 and 65535/],
  [{ spec: { containerConcurrency: 1001 } }, "spec.template.spec.containerConcurrency", /between 0 and 1000/],
  [{ spec: { timeoutSeconds: 3601 } }, "spec.template.spec.timeoutSeconds", /between 1 and 3600/],
  [limits("3", "1Gi"), `${CONTAINER}.resources.limits.cpu`, /Must be equal to one of \[\.08-1\], 1\.0, 2\.0, 4\.0, 6\.0, 8\.0/],
  [limits("1", "8Gi"), `${CONTAINER}.resources.limits.memory`, /For 1\.0 CPU, memory must be between 128Mi and 4Gi inclusive/],
  [limits("1", "lots"), `${CONTAINER}.resources.limits.memory`, /must be between/],
  [
    { ...limits("500m", "512Mi"), spec: { containerConcurrency: 2 } },
    `${CONTAINER}.resources.limits.cpu`,
    /not supported with concurrency > 1/,
  ],
  [{ container: { env: [{ name: "PORT", value: "1" }] } }, `${CONTAINER}.env`, /reserved env names were provided: PORT\./],
  [
    { container: { env: [{ name: "A", valueFrom: { configMapKeyRef: {} } }] } },
    `${CONTAINER}.env[0].valueFrom`,
    /from secrets are supported/,
  ],
  [{ container: { volumeMounts: [{ name: "a", mountPath: "/a" }] } }, `${CONTAINER}.volumeMounts[0].name`, /Volume 'a' not found/],
  [{ container: { livenessProbe: { periodSeconds: 3601 } } }, `${CONTAINER}.livenessProbe.periodSeconds`, /between 1 and 3600/],
  [{ traffic: [{ latestRevision: true, percent: 99 }] }, "spec.traffic", /sum to 99, want 100/],
  [{ traffic: [{ percent: 100 }] }, "spec.traffic[0]", /exactly one of revisionName and latestRevision/],
  [{ traffic: [blue, { ...blue, percent: 0 }] }, "spec.traffic[1].tag", /more than once/],
  [{ traffic: [{ ...blue, tag: "a".repeat(50) }] }, "spec.traffic[0].tag", /too long/],
  [{ annotations: { "run.googleapis.com/ingress": "none" } }, "metadata.annotations[run.googleapis.com/ingress]", /one of all, internal/],
  [
    { annotations: { "run.googleapis.com/custom-audiences": "x" } },
    "metadata.annotations[run.googleapis.com/custom-audiences]",
    /JSON array/,
  ],
  [{ revision: "other-1" }, "spec.template.metadata.name", /prefixed by the service name/],
])("rejects %j: %s", async ([wanted, field, rule]) => {
  const { state, send } = await openRun();
  const { json } = await send("POST", SERVICES, service(wanted));
  expect(json["error"]).toMatchObject({ code: 400, status: "INVALID_ARGUMENT" });
  const violations = json["error"].details[0].fieldViolations as { field: string; description: string }[];
  expect(json["error"].message).toContain(`${field}: `);
  expect(violations.find((violation) => violation.field === field)?.description).toMatch(rule);
  expect(state.services.list()).toEqual([]);
});

test("the error names a field of the wrong type", async () => {
  const { send } = await openRun();
  expect((await send("POST", SERVICES, service({ spec: { timeoutSeconds: "soon" } }))).json["error"].message).toMatch(
    /^Invalid value at 'service\.spec\.template\.spec\.timeoutSeconds': /,
  );
  expect((await send("POST", SERVICES, { kind: "Service" })).status).toBe(400);
  expect((await send("POST", SERVICES, service({ spec: { containers: [null] } }))).status).toBe(400);
});
