import { expect, test } from "vitest";
import { IMAGE, openRun, service, SERVICES, type Wanted } from "../../helpers/run-server.ts";

const limits = (cpu: string, memory: string) => ({ container: { resources: { limits: { cpu, memory } } } });
test.for<[string, Wanted, string, RegExp]>([
  ["a name in capitals", { name: "Hello" }, "metadata.name", /^only lowercase, digits, and hyphens; must begin with letter/],
  ["a name that ends with a hyphen", { name: "hello-" }, "metadata.name", /may not end with hyphen/],
  ["no container", { spec: { containers: [] } }, "spec.template.spec.containers", /Exactly one container/],
  [
    "two containers",
    { spec: { containers: [{ image: IMAGE }, { image: IMAGE }] } },
    "spec.template.spec.containers",
    /Exactly one container/,
  ],
  [
    "an image of a registry that Cloud Run does not pull from",
    { image: "ghcr.io/o/n" },
    "spec.template.spec.containers[0].image",
    /^Expected an image path like .* but obtained ghcr\.io\/o\/n$/,
  ],
  ["an image that is none", { image: "gcr.io/P/N" }, "spec.template.spec.containers[0].image", /^Expected an image path like/],
  [
    "a port that is none",
    { container: { ports: [{ containerPort: 70_000 }] } },
    "spec.template.spec.containers[0].ports[0].containerPort",
    /between 1 and 65535/,
  ],
  ["a concurrency beyond 1000", { spec: { containerConcurrency: 1001 } }, "spec.template.spec.containerConcurrency", /between 0 and 1000/],
  ["a timeout of more than an hour", { spec: { timeoutSeconds: 3601 } }, "spec.template.spec.timeoutSeconds", /between 1 and 3600/],
  [
    "three processors",
    limits("3", "1Gi"),
    "spec.template.spec.containers[0].resources.limits.cpu",
    /Must be equal to one of \[\.08-1\], 1\.0, 2\.0, 4\.0, 6\.0, 8\.0/,
  ],
  [
    "more memory than the processors may have",
    limits("1", "8Gi"),
    "spec.template.spec.containers[0].resources.limits.memory",
    /For 1\.0 CPU, memory must be between 128Mi and 4Gi inclusive/,
  ],
  ["memory that is no amount", limits("1", "lots"), "spec.template.spec.containers[0].resources.limits.memory", /must be between/],
  [
    "half a processor for many requests",
    { ...limits("500m", "512Mi"), spec: { containerConcurrency: 2 } },
    "spec.template.spec.containers[0].resources.limits.cpu",
    /Total cpu < 1 is not supported with concurrency > 1/,
  ],
  [
    "PORT in the environment",
    { container: { env: [{ name: "PORT", value: "1" }] } },
    "spec.template.spec.containers[0].env",
    /reserved env names were provided: PORT\./,
  ],
  [
    "a value that isn't from a secret",
    { container: { env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "s", key: "1" } } }] } },
    "spec.template.spec.containers[0].env[0].valueFrom",
    /from secrets are supported/,
  ],
  [
    "a mount of an unknown volume",
    { container: { volumeMounts: [{ name: "a", mountPath: "/a" }] }, spec: { volumes: [{ name: "b", emptyDir: {} }] } },
    "spec.template.spec.containers[0].volumeMounts[0].name",
    /Volume 'a' not found/,
  ],
  [
    "a liveness probe that never comes",
    { container: { livenessProbe: { periodSeconds: 3601, httpGet: {} } } },
    "spec.template.spec.containers[0].livenessProbe.periodSeconds",
    /between 1 and 3600/,
  ],
  ["traffic that is not all", { traffic: [{ latestRevision: true, percent: 99 }] }, "spec.traffic", /sum to 99, want 100/],
  ["a target that is none", { traffic: [{ percent: 100 }] }, "spec.traffic[0]", /exactly one of revisionName and latestRevision/],
  [
    "a tag twice",
    {
      traffic: [
        { latestRevision: true, percent: 100, tag: "a" },
        { latestRevision: true, tag: "a" },
      ],
    },
    "spec.traffic[1].tag",
    /more than once/,
  ],
  [
    "a tag too long for a host",
    { traffic: [{ latestRevision: true, percent: 100, tag: "a".repeat(50) }] },
    "spec.traffic[0].tag",
    /too long/,
  ],
  [
    "an ingress that there is not",
    { annotations: { "run.googleapis.com/ingress": "none" } },
    "metadata.annotations[run.googleapis.com/ingress]",
    /Must be one of all, internal/,
  ],
  [
    "audiences that are no list",
    { annotations: { "run.googleapis.com/custom-audiences": "x" } },
    "metadata.annotations[run.googleapis.com/custom-audiences]",
    /JSON array/,
  ],
  ["a revision of another name", { revision: "other-1" }, "spec.template.metadata.name", /prefixed by the service name/],
])("rejected: %s", async ([, wanted, field, rule]) => {
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
