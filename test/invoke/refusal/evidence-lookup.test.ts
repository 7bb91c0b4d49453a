import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { createEvidenceLookup } from "../../../src/invoke/refusal/evidence-lookup.ts";
import { createContext } from "../../../src/context/create-context.ts";
import { openTerminal, type Terminal } from "../../../src/terminal/terminal.ts";
import { temporaryDirectory } from "../../helpers/api-server.ts";
import { fakeGcloud, KNATIVE_SERVICE } from "../../helpers/command-line.ts";

const URL_CALLED = new URL("https://hello-123456789012.us-central1.run.app/orders");
const WHERE = "--project my-project --region us-central1 --quiet --format=json";
const DESCRIBE = `run services describe hello ${WHERE}`;
const POLICY = `run services get-iam-policy hello ${WHERE}`;
const BINDINGS = [{ role: "roles/run.invoker", members: ["user:me@example.com"] }];

/** A look-up through gcloud, without a key file; `said` returns what it prints. */
async function open(
  gcloud: { readonly PATH: string },
  variables: Readonly<Record<string, string>> = { PROJECT_ID: "my-project" },
  terminalMethods: Partial<Terminal> = {},
) {
  const home = temporaryDirectory();
  const env = { HOME: home, ...variables, ...gcloud };
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const terminal = { ...(await openTerminal({ stdin, stdout, stderr, env })), ...terminalMethods };
  const { signal } = new AbortController();
  const look = createEvidenceLookup(
    createContext({ terminal, stdin, env, cwd: home, self: [], passedArguments: [], signal, dryRun: false, flags: {} }),
  );
  const said = () => [stdout.read(), stderr.read()];
  return { said, look: (url: URL, policy = true) => look({ url, member: "user:me@example.com" }, { policy, signer: false }) };
}

test("the service and its policy are read through gcloud, and nothing is printed", async () => {
  const gcloud = fakeGcloud(
    { line: DESCRIBE, stdout: JSON.stringify(KNATIVE_SERVICE), stderr: "Looking...\n" },
    { line: POLICY, stdout: JSON.stringify({ bindings: BINDINGS, etag: "BwX=" }) },
  );
  const { look, said } = await open(gcloud);
  const evidence = await look(URL_CALLED);
  expect(evidence).toMatchObject({ service: { service: "hello", ingress: "all" }, policy: { bindings: BINDINGS } });
  expect(said()).toEqual([null, null]);
});

test("an unreadable policy is left out, and an unwanted one isn't requested", async () => {
  const described = { line: DESCRIBE, stdout: JSON.stringify(KNATIVE_SERVICE) };
  const denied = "ERROR: (gcloud.run.services.get-iam-policy) PERMISSION_DENIED: Permission 'run.services.getIamPolicy' denied";
  const refused = await open(fakeGcloud(described, { line: POLICY, stderr: denied, exitCode: 1 }));
  expect(Object.keys(await refused.look(URL_CALLED))).toEqual(["service"]);
  const spared = await open(fakeGcloud(described));
  expect(Object.keys(await spared.look(URL_CALLED, false))).toEqual(["service"]);
});

test("a service of the same name with other URLs isn't evidence, and neither is a failing gcloud", async () => {
  const other = new URL("https://hello-210987654321.us-central1.run.app/");
  expect(await (await open(fakeGcloud({ line: DESCRIBE, stdout: JSON.stringify(KNATIVE_SERVICE) }))).look(other, false)).toEqual({});
  const signedOut = "ERROR: (gcloud.run.services.describe) You do not currently have an active account selected.";
  expect(await (await open(fakeGcloud({ line: DESCRIBE, stderr: signedOut, exitCode: 1 }))).look(URL_CALLED, false)).toEqual({});
});

test("a service that gcloud doesn't find is missing, and a perimeter around the project is reported", async () => {
  const gone = "ERROR: (gcloud.run.services.describe) Cannot find service [hello]";
  expect(await (await open(fakeGcloud({ line: DESCRIBE, stderr: gone, exitCode: 1 }))).look(URL_CALLED, false)).toEqual({
    missing: { service: "hello", project: "my-project", region: "us-central1" },
  });
  const barred =
    "ERROR: (gcloud.run.services.describe) PERMISSION_DENIED: Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: abc";
  expect(await (await open(fakeGcloud({ line: DESCRIBE, stderr: barred, exitCode: 1 }))).look(URL_CALLED, false)).toEqual({
    isOutsidePerimeter: true,
  });
});

test("nothing is requested if the URL isn't a service's or the project isn't known", async () => {
  const { look } = await open(fakeGcloud());
  expect(await look(new URL("http://127.0.0.1:8080/"))).toEqual({});
  expect(await look(new URL("https://api.example.com/"))).toEqual({});
  expect(await (await open(fakeGcloud(), {})).look(URL_CALLED)).toEqual({});
});

test("a bug isn't mistaken for a failed look-up", async () => {
  const debug = () => {
    throw new TypeError("a bug");
  };
  const { look } = await open(fakeGcloud(), { PROJECT_ID: "my-project" }, { debug });
  await expect(look(URL_CALLED)).rejects.toThrow(TypeError);
});
