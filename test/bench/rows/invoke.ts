import { join } from "node:path";
import type { Trial } from "../measure.ts";
import { Missing } from "../missing.ts";
import { findProgram } from "../processes.ts";
import { makeFolder } from "../ground.ts";
import type { World } from "../world.ts";

type Environment = Readonly<Record<string, string>>;

/** An empty folder for tokens in each round: what is measured is a first call, which keeps its token for the next. */
function firstCall(world: World, url: string, credentials: string, env: Environment): () => Promise<number> {
  const argv = [...world.own, "invoke", "--url", url, "--credentials", credentials];
  return () => world.processes.time(argv, { ...env, CLOUDRUN_OAUTH_CACHE_DIR: makeFolder(world) });
}

/** In plain HTTP, both: nothing of the time is TLS, which is the same for everybody. */
export async function invokeNode(world: World): Promise<Trial> {
  const { url, service, credentials, plain } = await world.emulator();
  const argv = [process.execPath, world.program("call.mjs"), credentials, service];
  return {
    ours: firstCall(world, service, credentials, plain),
    peer: () => world.processes.time(argv, { ...world.env, EMULATOR: url }),
    unit: "ms",
    rounds: 25,
  };
}

export async function invokeNodeTls(world: World): Promise<Trial> {
  const { service, credentials, tls } = await world.emulator();
  const env = straight(tls);
  return {
    ours: firstCall(world, service, credentials, env),
    peer: () => world.processes.time([process.execPath, world.program("call-by-proxy.mjs"), credentials, service], env),
    unit: "ms",
    rounds: 15,
  };
}

export async function invokePython(world: World): Promise<Trial> {
  const python = await findPython(world);
  const { service, credentials, tls } = await world.emulator();
  return {
    ours: firstCall(world, service, credentials, straight(tls)),
    peer: () => world.processes.time([python, world.program("call.py"), credentials, service], tls),
    unit: "ms",
    rounds: 9,
  };
}

export async function invokeGcloud(world: World): Promise<Trial> {
  findProgram("gcloud");
  findProgram("curl");
  const { service, credentials, tls, signIn } = await world.emulator();
  await signIn();
  const script = 'curl -fsS -H "Authorization: Bearer $(gcloud auth print-identity-token --audiences="$1")" "$1"';
  return {
    ours: firstCall(world, service, credentials, straight(tls)),
    peer: () => world.processes.time(["/bin/sh", "-c", script, "sh", service], tls),
    unit: "ms",
    rounds: 5,
  };
}

export async function invokeCached(world: World): Promise<Trial> {
  const { url, service, credentials, plain, idToken } = await world.emulator();
  const folder = makeFolder(world, { token: await idToken(service) });
  const argv = [...world.own, "invoke", "--url", service, "--credentials", credentials];
  return {
    ours: () => world.processes.time(argv, { ...plain, CLOUDRUN_OAUTH_CACHE_DIR: folder }),
    peer: () =>
      world.processes.time([process.execPath, world.program("call-with-token.mjs"), join(folder, "token"), service], {
        ...world.env,
        EMULATOR: url,
      }),
    unit: "ms",
    rounds: 25,
  };
}

/** Google's own host names in TLS, as every other program meets them, without the command line's shorter way to an emulator. */
function straight(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name !== "CLOUDRUN_OAUTH_EMULATOR"));
}

/** Debian has the modules for its own Python alone. Throws Missing. */
async function findPython({ processes, env }: World): Promise<string> {
  const named = process.env["CLOUDRUN_OAUTH_PYTHON"];
  for (const python of named ? [named] : ["/usr/bin/python3", "python3"]) {
    const found = await processes.time([python, "-c", "import jwt, requests"], env).then(
      () => true,
      () => false,
    );
    if (found) return python;
  }
  throw new Missing("there is no python3 with requests and PyJWT");
}
