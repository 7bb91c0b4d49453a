import { createHash, createPrivateKey } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { DEFAULT_APIS } from "../apis/enabled-apis.ts";
import { callerEmail, emulatorFiles } from "../environment/files.ts";
import { describeKeyPair, type KeyPair } from "../oauth2/key-pair.ts";
import type { Runtime } from "../runtime.ts";
import { writeFileAtomically } from "../state/atomic-write.ts";
import { createKey, type KeyFile } from "./service-accounts.ts";

type ProjectRuntime = Pick<Runtime, "state" | "now">;

/**
 * Creates a project that is ready to use: enabled APIs, the accounts that Google creates by itself, an operator with a key file who owns
 * the project, and a caller without permissions. Existing key files stay valid. Does nothing if the project exists.
 */
export async function createProject({ state, now }: ProjectRuntime, projectId: string, operatorKey?: Promise<KeyPair>): Promise<void> {
  if (state.projects.get(projectId)) return;
  const createTime = new Date(now()).toISOString();
  const projectNumber = digitsOf(projectId, 12);
  const [operator, caller] = [`operator@${projectId}.iam.gserviceaccount.com`, callerEmail(projectId)];
  const [compute, builder] = [`${projectNumber}-compute@developer.gserviceaccount.com`, `${projectNumber}@cloudbuild.gserviceaccount.com`];
  const files = emulatorFiles(state.directory, projectId);

  for (const email of [operator, caller, compute, builder])
    state.serviceAccounts.set(email, { email, projectId, uniqueId: digitsOf(email, 21) });
  for (const [email, file] of [
    [operator, files.operator],
    [caller, files.caller],
  ] as const) {
    // A crash between creating a key and writing its file leaves a key whose private half no one has.
    for (const key of state.keys.keys(`${email}/`)) state.keys.delete(key);
    await registerKeyFile({ state, now }, email, file);
  }
  await provideKeyFile({ state, now }, operator, files.operator, operatorKey);
  state.transaction(() => {
    for (const api of DEFAULT_APIS) state.apis.set(`${projectId}/${api}`, { name: api, enabledAt: createTime });
    state.policies.set(`projects/${projectId}`, {
      version: 1,
      etag: createHash("sha1").update(createTime).digest("base64"),
      bindings: [
        { role: "roles/cloudbuild.builds.builder", members: [`serviceAccount:${builder}`] },
        { role: "roles/editor", members: [`serviceAccount:${compute}`] },
        { role: "roles/owner", members: [`serviceAccount:${operator}`] },
      ],
    });
    // Last, since an existing project is taken to be complete.
    state.projects.set(projectId, { projectId, projectNumber, name: projectId, createTime });
  });
}

export function createCallerKey(runtime: ProjectRuntime, projectId: string): Promise<void> {
  return provideKeyFile(runtime, callerEmail(projectId), emulatorFiles(runtime.state.directory, projectId).caller);
}

async function provideKeyFile({ state, now }: ProjectRuntime, email: string, path: string, pair?: Promise<KeyPair>): Promise<void> {
  const account = state.serviceAccounts.get(email);
  if (!account || existsSync(path)) return;
  const { file } = await createKey(state, account, now(), await pair);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileAtomically(path, `${JSON.stringify(file, null, 2)}\n`);
}

/** Adds the key of an existing key file to its account, as after a reset. */
async function registerKeyFile({ state, now }: ProjectRuntime, email: string, path: string): Promise<void> {
  const account = state.serviceAccounts.get(email);
  if (!account || !existsSync(path)) return;
  const { private_key } = JSON.parse(readFileSync(path, "utf8")) as KeyFile;
  await createKey(state, account, now(), describeKeyPair(createPrivateKey(private_key)));
}

/** Digits that follow from a name, the first not 0. Google's are random; these survive a reset. */
function digitsOf(name: string, length: number): string {
  const digits = BigInt(`0x${createHash("sha256").update(name).digest("hex")}`).toString();
  return `1${digits.slice(0, length - 1)}`;
}
