import { createHash, createPrivateKey } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { DEFAULT_APIS } from "../apis/enabled-apis.ts";
import { callerEmail, filesOf } from "../environment/environment.ts";
import { createKey, type KeyFile } from "../iam/service-accounts.ts";
import { describeKeyPair, type KeyPair } from "../oauth2/key-pair.ts";
import type { Runtime } from "../runtime.ts";
import { writeWhole } from "./atomic-write.ts";

function operatorEmail(project: string): string {
  return `operator@${project}.iam.gserviceaccount.com`;
}

/**
 * Makes a project ready for use: enabled APIs, an operator who owns it and a caller who may do nothing yet, both with key files, and the accounts
 * that Google makes by itself. Does nothing to a project that is there; key files that are there go on being good. `pairs` are for key files that are not.
 */
export async function seedProject(
  runtime: Pick<Runtime, "state" | "now">,
  projectId: string,
  pairs: readonly Promise<KeyPair>[] = [],
): Promise<void> {
  const { state } = runtime;
  if (state.projects.get(projectId)) return;
  const createTime = new Date(runtime.now()).toISOString();
  const projectNumber = digitsOf(projectId, 12);
  const [operator, caller] = [operatorEmail(projectId), callerEmail(projectId)];
  const [compute, builder] = [`${projectNumber}-compute@developer.gserviceaccount.com`, `${projectNumber}@cloudbuild.gserviceaccount.com`];
  const files = filesOf(state.directory, projectId);

  for (const email of [operator, caller, compute, builder])
    state.serviceAccounts.set(email, { email, projectId, uniqueId: digitsOf(email, 21) });
  await Promise.all([provideKey(runtime, operator, files.operator, pairs[0]), provideKey(runtime, caller, files.caller, pairs[1])]);
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
    // A project that is there is taken to be whole.
    state.projects.set(projectId, { projectId, projectNumber, name: projectId, createTime });
  });
}

async function provideKey(
  { state, now }: Pick<Runtime, "state" | "now">,
  email: string,
  path: string,
  pair?: Promise<KeyPair>,
): Promise<void> {
  const account = state.serviceAccounts.get(email);
  if (!account) return;
  // A crash may have come between a key and its file; nobody has its private half then.
  for (const key of state.keys.keys(`${email}/`)) state.keys.delete(key);
  if (existsSync(path)) {
    const { private_key } = JSON.parse(readFileSync(path, "utf8")) as KeyFile;
    await createKey(state, account, now(), describeKeyPair(createPrivateKey(private_key)));
    return;
  }
  const { file } = await createKey(state, account, now(), await pair);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeWhole(path, `${JSON.stringify(file, null, 2)}\n`);
}

/** The same digits for the same name, the first not 0: what Google draws at random, here survives a reset. */
function digitsOf(name: string, length: number): string {
  const digits = BigInt(`0x${createHash("sha256").update(name).digest("hex")}`).toString();
  return `1${digits.slice(0, length - 1)}`;
}
