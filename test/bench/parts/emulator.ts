import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, type Ground } from "../ground.ts";

/** A running emulator with a private service that a caller may call. */
export interface BenchEmulator {
  readonly pid: number;
  readonly url: string;
  /** The service's URL. */
  readonly service: string;
  /** The caller's key file. */
  readonly credentials: string;
  /** For the command line, which talks to the emulator in plain HTTP. */
  readonly plain: Readonly<Record<string, string>>;
  /** For any program: Google's own host names, in TLS, by the emulator as HTTPS proxy. */
  readonly tls: Readonly<Record<string, string>>;
  /** Signs gcloud in, with the configuration that `tls` names. */
  signIn(): Promise<void>;
  /** An ID token of the caller's for an audience. */
  idToken(audience: string): Promise<string>;
}

const DOCKERFILE = 'FROM node:22-slim\nWORKDIR /app\nCOPY server.mjs ./\nCMD ["node", "server.mjs"]\n';

export async function startEmulator(ground: Ground): Promise<BenchEmulator> {
  const { processes, own, env, program } = ground;
  const { pid, said } = await processes.start([...own, "emulator", "start", "--ephemeral", "--port", "0", "--json"], {
    env,
    ready: /^\}/m,
  });
  const { url, environment } = JSON.parse(said) as { url: string; environment: Record<string, string | null> };
  const tls = { ...env };
  for (const [name, value] of Object.entries(environment)) {
    if (value === null) delete (tls as Record<string, string | undefined>)[name];
    else (tls as Record<string, string>)[name] = value;
  }
  const credentials = environment["CREDS"] ?? "";
  const plain = { ...env, CLOUDRUN_OAUTH_EMULATOR: url, PROJECT_ID: environment["PROJECT_ID"] ?? "" };
  const operator = { ...plain, GOOGLE_APPLICATION_CREDENTIALS: environment["GOOGLE_APPLICATION_CREDENTIALS"] ?? "" };

  const folder = makeFolder(ground, { Dockerfile: DOCKERFILE });
  copyFileSync(program("origin.mjs"), join(folder, "server.mjs"));
  await processes.time([...own, "--via", "api", "deploy", "bench", "--source", folder], operator);
  for (const member of [environment["SERVICE_ACCOUNT_EMAIL"] ?? "", `operator@${plain.PROJECT_ID}.iam.gserviceaccount.com`])
    await processes.time([...own, "--via", "api", "grant", "bench", "--member", member], operator);
  const service = (await processes.read([...own, "--via", "api", "describe", "bench", "--url"], operator)).trim();
  let signedIn: Promise<void> | undefined;
  return {
    pid,
    url,
    service,
    credentials,
    plain: operator,
    tls,
    // gcloud is signed in by whoever asks for an environment.
    signIn: () => (signedIn ??= processes.time([...own, "emulator", "env", "--json"], env).then(() => undefined)),
    idToken: async (audience) =>
      (await processes.read([...own, "token", audience, "--credentials", credentials, "--no-cache"], operator)).trim(),
  };
}
