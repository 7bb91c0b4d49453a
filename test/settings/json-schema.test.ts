import { Ajv } from "ajv";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readProjectFile } from "../../src/settings/project-file.ts";
import { projectFileSchema } from "../../src/settings/json-schema.ts";
import { folder, runCli } from "../helpers/command-line.ts";

const ROOT = new URL("../../", import.meta.url);

const validate = new Ajv({ strict: true }).compile(projectFileSchema());

const VALID: Readonly<Record<string, readonly string[]>> = {
  $schema: ["./schema.json", ""],
  project: ["my-project", "example.com:my-project", "a".repeat(30)],
  region: ["us-central1", "europe-west12", "northamerica-northeast1", "europe-northwest7"],
  service: ["a", "hello", "a".repeat(49)],
  image: ["gcr.io/my-project/hello:v1.2", `europe-docker.pkg.dev/my-project/apps/hello@sha256:${"0".repeat(64)}`],
  template: ["hono"],
  credentials: ["caller.json", "keys/a file (1).json", "/abs/olute.json", "C:\\keys\\caller.json"],
  impersonate: ["caller@my-project.iam.gserviceaccount.com", "a@b.iam, 123456789012345678901"],
  member: ["allUsers"],
  url: ["https://hello-abc123-uc.a.run.app", "http://127.0.0.1:8080/path"],
  via: ["gcloud", "api"],
  engine: ["auto", "process", "container"],
};

const INVALID: Readonly<Record<string, readonly unknown[]>> = {
  $schema: [5, null],
  project: ["short", "My Project", "123456789012", "a".repeat(31), "", 5],
  region: ["us-central1-a", "US", "", ["us-central1"]],
  service: ["Hello", "1hello", "hello-", "hello_world", "a".repeat(50), "", null],
  image: ["us-central1-docker.pkg.dev/P/R/i", "--help", "hello"],
  template: [5],
  credentials: [
    '{"type": "service_account"}',
    ' \n{"a": 1}',
    "-----BEGIN PRIVATE",
    Buffer.from('{"type": "service_account"}').toString("base64"),
  ],
  impersonate: ["caller", "a@b,", ",a@b", "12345"],
  member: [{}],
  url: ["hello.run.app", "ftp://host", "https://"],
  via: ["terraform", "GCLOUD", ""],
  engine: ["docker"],
};

const DOCUMENTS = [
  {},
  [],
  "text",
  null,
  { projekt: "my-project" },
  { project: "my-project", region: "us-central1", service: "hello" },
  ...[VALID, INVALID].flatMap((table) => Object.entries(table).flatMap(([name, values]) => values.map((value) => ({ [name]: value })))),
];

test.for(DOCUMENTS.map((document) => [JSON.stringify(document), document] as const))(
  "the schema and the reader agree about %s",
  ([text, document]) => {
    expect(validate(document)).toBe(isRead(text));
  },
);

test("every setting has valid and invalid documents", () => {
  const names = Object.keys((projectFileSchema() as { properties: object }).properties);
  expect([Object.keys(VALID), Object.keys(INVALID)]).toEqual([names, names]);
  for (const [name, values] of Object.entries(VALID))
    for (const value of values) expect([name, value, validate({ [name]: value })]).toEqual([name, value, true]);
  for (const [name, values] of Object.entries(INVALID))
    for (const value of values) expect([name, value, validate({ [name]: value })]).toEqual([name, value, false]);
});

test("the package has the schema at the path that init writes", async () => {
  const cwd = folder();
  await runCli(["init", "--service", "hello"], { cwd });
  const { $schema } = JSON.parse(readFileSync(join(cwd, "cloudrun-oauth.json"), "utf8")) as { $schema: string };
  const { name, version, exports, files } = JSON.parse(readFileSync(new URL("package.json", ROOT), "utf8"));
  const path = $schema.replace(`https://unpkg.com/${name}@${version}/`, "");
  expect([`./${path}`, files]).toEqual([exports["./cloudrun-oauth.schema.json"], expect.arrayContaining([path.split("/")[0]])]);
  expect(JSON.parse(readFileSync(new URL(path, ROOT), "utf8"))).toEqual({ ...projectFileSchema(), $id: $schema });
  expect(JSON.parse((await runCli(["config", "schema"])).stdout)).toEqual(projectFileSchema());
});

function isRead(text: string): boolean {
  try {
    return readProjectFile(folder({ "cloudrun-oauth.json": text })) !== undefined;
  } catch {
    return false;
  }
}
