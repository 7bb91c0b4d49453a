import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, afterEach, expect, test } from "vitest";
import { explainRefusal } from "../../src/invoke/refusal/explain-refusal.ts";
import type { RejectedRequest } from "../../src/invoke/refusal/refusal-error.ts";
import { openApiClient } from "../../src/cloud/api/client.ts";
import { createEvidenceLookup } from "../../src/invoke/refusal/evidence-lookup.ts";
import { createContext } from "../../src/context/create-context.ts";
import { mergeEnvironment } from "../../src/context/merge-environment.ts";
import { CliError } from "../../src/errors/cli-error.ts";
import type { ErrorCode } from "../../src/errors/exit-codes.ts";
import { REASONS, type Reason } from "../../src/errors/reasons.ts";
import { openTerminal } from "../../src/terminal/terminal.ts";
import { sendAdmin } from "./admin.ts";
import { send, temporaryDirectory, type Answer, type Json } from "./api-server.ts";
import { runCli } from "./command-line.ts";
import { signAssertion, startEmulator, tinyService, type AtEnd } from "./emulator.ts";
import { failure } from "./failure.ts";

/** How a refusal was named. */
export interface Named {
  readonly code: string;
  readonly reason: unknown;
  readonly message: string;
  readonly hint: string | null;
  readonly next: readonly unknown[];
  readonly exit_code: number;
  readonly details: Json;
}

interface Asked {
  /** As the caller sees it; the service's own where it is not said. */
  readonly url?: string;
  /** The Authorization headers. */
  readonly authorization?: string | readonly string[];
  /** The caller's, where the token does not say it. */
  readonly principal?: string;
  /** Milliseconds by which this machine's clock is ahead. */
  readonly ahead?: number;
  /** Whose credentials look things up; nobody's for null. */
  readonly operator?: string | null;
}

/** Answers as the templates do, but for two paths: one breaks the connection off, one takes longer than the request timeout. */
const SERVICE = `
require("node:http")
  .createServer((request, response) => {
    if (request.url === "/break") return request.socket.destroy();
    if (request.url === "/slow") return;
    response.end(JSON.stringify({ message: "Hello World from authenticated Cloud Run!" }));
  })
  .listen(process.env.PORT, "127.0.0.1");
`;

/** An emulator with the private service hello, and what refuses calls to it. */
export async function openRefusals(atEnd: AtEnd = afterAll, settings: { readonly iamPropagation?: number } = {}) {
  const emulator = await startEmulator(atEnd, settings);
  const { port, project, request, status } = emulator;
  const { environment } = status();
  const { url, host } = await emulator.deploy("hello", tinyService(SERVICE));
  const name = `projects/${project}/locations/us-central1/services/hello`;
  const caller = `caller@${project}.iam.gserviceaccount.com`;
  let accounts = 0;
  const asJson = async (answer: Promise<Answer>): Promise<Json> => {
    const { status, text } = await answer;
    if (status !== 200) throw new Error(text);
    return JSON.parse(text);
  };
  const api = (host: string, path: string, body: object = {}, method = "POST") =>
    asJson(request(method, host, path, method === "DELETE" ? {} : { body }));

  /** The command line's context, as whoever has the key file. */
  async function contextOf(operator: string | null = environment["GOOGLE_APPLICATION_CREDENTIALS"] ?? null) {
    const home = temporaryDirectory();
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const own = { HOME: home, PATH: "", GOOGLE_APPLICATION_CREDENTIALS: operator ?? undefined, CREDS: undefined };
    const env = { ...mergeEnvironment({}, environment), ...own };
    const { signal } = new AbortController();
    const terminal = await openTerminal({ stdin, stdout, stderr, env });
    return createContext({
      terminal,
      stdin,
      env,
      cwd: home,
      self: [],
      passedArguments: [],
      signal,
      dryRun: false,
      flags: { project, via: "api" },
    });
  }

  return {
    ...emulator,
    url,
    caller,
    operatorToken: emulator.token,
    member: `serviceAccount:${caller}`,
    environment,
    contextOf,
    api,
    /** Calls the service with whatever credential, and explains the answer. */
    async ask({ url: called = url, authorization = [], principal, ahead = 0, operator }: Asked = {}): Promise<Named> {
      const shown = new URL(called);
      const values = [authorization].flat();
      const target = shown.hostname.endsWith(".run.app") ? shown.host : host;
      const headers: Record<string, string> = values.length > 0 ? { authorization: values as unknown as string } : {};
      const answer = await send(port, "GET", target, shown.pathname, { token: "", headers });
      const call: RejectedRequest = {
        url: shown,
        status: answer.status,
        headers: answer.headers as Record<string, string>,
        body: answer.text,
        sent: values.map((value) => ["Authorization", value]),
        principal,
        now: Date.now() + ahead,
      };
      const look = operator === null ? undefined : createEvidenceLookup(await contextOf(operator));
      return nameOf(await explainRefusal(call, look), answer);
    },
    /** Runs a command, and reads the error that it ends with. */
    async run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Named> {
      const home = temporaryDirectory();
      const all = { ...mergeEnvironment({ HOME: home, SERVICE_NAME: "hello" }, environment), PATH: "", ...env } as Record<string, string>;
      const { stderr, exitCode } = await runCli([...argv, "--json"], { env: all, cwd: home });
      const { error } = JSON.parse(stderr.trimEnd().split("\n").at(-1) || "{}") as { error?: Json };
      if (!error) throw new Error(`${argv.join(" ")} ended with ${exitCode}: ${stderr}`);
      return { ...error, reason: error["details"].reason } as Named;
    },
    /** Does something as the operator by Google's APIs, in the command line's way, that has no command. */
    async client(work: (client: ReturnType<typeof openApiClient>) => Promise<unknown>): Promise<Named> {
      const client = openApiClient(await contextOf(), { project, region: "us-central1" });
      return nameOf(await failure(work(client)));
    },
    async token(audience = url): Promise<string> {
      return emulator.idToken(audience);
    },
    /** A call of the IAM Credentials API as the caller of the services. */
    async impersonate(account: string, verb: string, body: object): Promise<Answer> {
      const { json } = await exchange(port, environment["CREDS"] ?? "", { scope: "https://www.googleapis.com/auth/cloud-platform" });
      return send(port, "POST", "iamcredentials.googleapis.com", `/v1/projects/-/serviceAccounts/${account}:${verb}`, {
        token: json["access_token"],
        body,
      });
    },
    exchange: (claims: object, form?: Readonly<Record<string, string>>) => exchange(port, environment["CREDS"] ?? "", claims, form),
    async setPolicy(...bindings: readonly object[]): Promise<void> {
      await api("run.googleapis.com", `/v1/${name}:setIamPolicy`, { policy: { version: 3, bindings } });
    },
    async setOrgPolicy(policy: object): Promise<void> {
      await api("cloudresourcemanager.googleapis.com", `/v1/projects/${project}:setOrgPolicy`, { policy });
    },
    /** The service as it is, with other annotations; without those that are undefined. */
    async annotated(changes: Readonly<Record<string, string | undefined>>): Promise<Json> {
      const service = await asJson(request("GET", "us-central1-run.googleapis.com", `/v1/${name}`));
      const { resourceVersion: _, ...metadata } = service["metadata"];
      return { ...service, metadata: { ...metadata, annotations: { ...metadata.annotations, ...changes } } };
    },
    async annotate(changes: Readonly<Record<string, string | undefined>>): Promise<void> {
      await api("us-central1-run.googleapis.com", `/v1/${name}`, await this.annotated(changes), "PUT");
    },
    async fault(fault: object): Promise<void> {
      await asJson(sendAdmin(port, "POST", "/_emulator/faults", fault));
    },
    async clock(shift_ms: number): Promise<void> {
      await asJson(sendAdmin(port, "PUT", "/_emulator/clock", { shift_ms }));
    },
    /** A service account that is there for one case, with a key file. */
    async account(
      id = `temporary-${(accounts += 1)}`,
    ): Promise<{ email: string; member: string; keyFile: string; resource: string; keyName: string }> {
      await api("iam.googleapis.com", `/v1/projects/${project}/serviceAccounts`, { accountId: id });
      const email = `${id}@${project}.iam.gserviceaccount.com`;
      const resource = `/v1/projects/${project}/serviceAccounts/${email}`;
      const key = await api("iam.googleapis.com", `${resource}/keys`);
      const keyFile = join(temporaryDirectory(), "key.json");
      writeFileSync(keyFile, Buffer.from(key["privateKeyData"], "base64"), { mode: 0o600 });
      return { email, member: `serviceAccount:${email}`, keyFile, resource, keyName: key["name"] };
    },
    async tokenOf(keyFile: string, audience = url): Promise<string> {
      return (await exchange(port, keyFile, { target_audience: audience })).json["id_token"];
    },
    /** The end of every case: what was done to the emulator is undone. */
    async calm(): Promise<void> {
      await asJson(sendAdmin(port, "DELETE", "/_emulator/faults"));
      await this.clock(0);
      await this.setPolicy();
    },
  };
}

function nameOf(error: CliError | undefined, answer?: Answer): Named {
  if (!(error instanceof CliError)) throw new Error(`It was not explained: ${error ?? `${answer?.status} ${answer?.text}`}`);
  return named(error);
}

export function named(error: CliError): Named {
  const { code, message, hint = null, next, exitCode, details } = error;
  return { code, message, hint, next, exit_code: exitCode, details, reason: details["reason"] };
}

async function exchange(port: number, keyFile: string, claims: object, form: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const assertion = signAssertion(readFileSync(keyFile, "utf8"), claims);
  const body = new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion, ...form }).toString();
  return send(port, "POST", "oauth2.googleapis.com", "/token", { token: "", body });
}

export const bearer = (token: string): string => `Bearer ${token}`;

/** What provokes a refusal, and how it has to be named; under the reason's usual code where no other is said. */
export type Case = readonly [title: string, reason: Reason, provoke: () => Promise<Named>, code?: ErrorCode];

/** A test for each case: the refusal is provoked on the emulator, and named rightly. */
export function holdRefusals(world: Pick<Awaited<ReturnType<typeof openRefusals>>, "calm">, cases: readonly Case[]): void {
  afterEach(() => world.calm());

  test.for(cases)("%s is %s", { timeout: 120_000 }, async ([, reason, provoke, code = REASONS[reason][0]]) => {
    const found = await provoke();
    expect(found).toMatchObject({ reason, code });
    expect(REASONS[reason]).toContain(code);
    expect([found.hint, ...found.next]).not.toEqual([null]);
    expect(JSON.stringify(found)).not.toMatch(/eyJ[\w-]+\.eyJ|ya29\.|undefined/);
  });
}
