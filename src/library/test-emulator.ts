import { basename, join, resolve } from "node:path";
import { PassThrough } from "node:stream";
import { readKeyFile } from "../auth/key-file.ts";
import { fetchIdTokenWithKey } from "../auth/service-account-tokens.ts";
import { createKeyFile, ensureAccount } from "../cloud/api/accounts.ts";
import { openApiClient } from "../cloud/api/client.ts";
import { readMember } from "../auth/member.ts";
import { INVOKER_ROLE } from "../cloud/permissions.ts";
import type { Context, Environment } from "../context/context.ts";
import type { Emulator, FetchOptions } from "./emulator-interface.ts";
import { nodeProgramEnvironment, type EmulatorStatus } from "../emulator/index.ts";
import { CliError } from "../errors/cli-error.ts";
import { requestEmulator } from "../context/emulator-client.ts";
import { createOperatorContext } from "../context/operator-context.ts";
import { readProjectFile } from "../settings/project-file.ts";
import { writePrivateFile } from "../settings/private-files.ts";
import { assertAllowed } from "../settings/rules.ts";
import { openTerminal } from "../terminal/terminal.ts";

/** A running emulator for a test suite, without `close`. */
export async function openTestEmulator(
  running: EmulatorStatus,
  around: { env: Environment; cwd: string },
): Promise<Omit<Emulator, "close">> {
  const { url, project, region, data_dir } = running;
  const context = createOperatorContext({ ...(await silentTerminal(around.env)), cwd: around.cwd }, running);
  const { env, send } = context;
  const place = { project, region };
  const client = openApiClient(context, place);
  const ask = (method: "DELETE" | "POST" | "PUT", path: string, body?: object) => requestEmulator(context, running, { method, path, body });

  return {
    url,
    project,
    region,
    env: Object.fromEntries(Object.entries(nodeProgramEnvironment(running, around.env)).map(([name, value]) => [name, value ?? undefined])),
    async createKey(name) {
      const email = name.includes("@") ? name : `${name}@${project}.iam.gserviceaccount.com`;
      await ensureAccount(client, { project, email });
      const text = await createKeyFile(client, { project, email });
      const { private_key_id } = JSON.parse(text) as { readonly private_key_id: string };
      const path = join(data_dir, "keys", `${email}-${private_key_id.slice(0, 8)}.json`);
      writePrivateFile(path, text);
      return path;
    },
    async deploy(directory, { name, allowUnauthenticated, members = [], env: variables, serviceAccount } = {}) {
      const source = resolve(around.cwd, directory);
      const service = name ?? serviceNameOf(source);
      const cloud = await context.cloud();
      const deployed = await cloud.deploy({ ...place, service, source, allowUnauthenticated, env: variables, serviceAccount });
      for (const member of members) await cloud.grant({ ...place, service, member: readMember(member), role: INVOKER_ROLE });
      return { name: service, url: deployed.url, revision: deployed.revision ?? "" };
    },
    async grant(service, member, role = INVOKER_ROLE) {
      await (await context.cloud()).grant({ ...place, service, member: readMember(member), role });
    },
    async revoke(service, member, role = INVOKER_ROLE) {
      await (await context.cloud()).revoke({ ...place, service, member: readMember(member), role });
    },
    fetchIdToken: async ({ credentials, audience }) =>
      fetchIdTokenWithKey(await readKeyFile(resolve(around.cwd, credentials)), audience, { send, env }),
    async fetch(target: string | URL, { method = "GET", headers = {}, body }: FetchOptions = {}) {
      // The test must see a fault that it has injected.
      const response = await send({ method, url: String(target), headers: Object.entries(headers), body, retry: { times: 0 } });
      const bytes = await response.bytes();
      // The Fetch standard doesn't allow a body with these, not even an empty one.
      const isEmpty = [204, 205, 304].includes(response.status);
      const { "content-encoding": _, ...shown } = response.headers;
      return new Response(isEmpty ? null : new Uint8Array(bytes), { status: response.status, headers: shown });
    },
    async addFault({ retryAfter, latency, ...fault }) {
      await ask("POST", "/_emulator/faults", { ...fault, retry_after: retryAfter, latency_ms: latency });
    },
    async clearFaults() {
      await ask("DELETE", "/_emulator/faults");
    },
    async moveClock(shift) {
      await ask("PUT", "/_emulator/clock", { shift_ms: shift });
    },
  };
}

async function silentTerminal(env: Environment): Promise<Pick<Context, "terminal" | "stdin" | "env" | "signal">> {
  const stdin = new PassThrough();
  const [stdout, stderr] = [new PassThrough().resume(), new PassThrough().resume()];
  return { stdin, env, signal: new AbortController().signal, terminal: await openTerminal({ stdin, stdout, stderr, env, quiet: true }) };
}

/** The service in a folder's settings, else the folder's name. Throws CliError USAGE if it isn't a valid service name. */
function serviceNameOf(directory: string): string {
  const value = readProjectFile(directory)?.values["service"] ?? basename(directory);
  try {
    assertAllowed("service", { value, source: directory });
  } catch (error) {
    throw new CliError("USAGE", `The folder name of ${directory} isn't a valid service name.`, {
      hint: "Set the name option.",
      cause: error,
    });
  }
  return value;
}
