import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pid } from "node:process";
import { createAdmin } from "./server/admin.ts";
import { openCertificateAuthority } from "./server/certificate-authority.ts";
import { createClock } from "./server/clock.ts";
import { openEngine } from "./engine/choose-engine.ts";
import { shellEnvironment, removeEmulatorVariables } from "./environment/variables.ts";
import { emulatorFiles } from "./environment/files.ts";
import { collectAuthorities } from "./environment/authorities.ts";
import { createFaults } from "./faults/faults.ts";
import { openBackend, type Backend } from "./backend.ts";
import type { Emulator, EmulatorOptions } from "./emulator.ts";
import { removeJournal } from "./state/journal.ts";
import { writeNodePreload } from "./environment/node-preload.ts";
import type { KeyPair } from "./oauth2/key-pair.ts";
import { upstreamProxy } from "./server/forward-proxy.ts";
import { openRecorder } from "./server/recorder.ts";
import type { Router } from "./server/router.ts";
import type { EmulatorStatus } from "./environment/emulator-status.ts";
import { createEmulatorServer } from "./server/server.ts";
import { removeUnfinishedFiles, writeFileAtomically } from "./state/atomic-write.ts";

/** Starts the emulator of `createEmulator`; `operatorKey` becomes the key of a new project's operator. */
export async function openEmulator({
  directory,
  port,
  project = "cloudrun-local",
  region = "us-central1",
  log = () => undefined,
  iamPropagation = 0,
  operatorKey,
  ...options
}: EmulatorOptions & { readonly operatorKey: Promise<KeyPair> | undefined }): Promise<Emulator> {
  const env = removeEmulatorVariables(options.env);
  const { authorities, added, cache } = emulatorFiles(directory, project);
  const removeCachedTokens = (): void => rmSync(cache, { recursive: true, force: true });
  removeCachedTokens();
  const clock = createClock(removeCachedTokens);
  const { now } = clock;
  const faults = createFaults(now);
  for (const folder of [directory, join(directory, "keys")]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    removeUnfinishedFiles(folder);
  }
  let announce: (url: string) => void = () => undefined;
  const address = new Promise<string>((resolve) => (announce = resolve));
  const open = () => openBackend({ directory, project, engine, now, log, address, iamPropagation, operatorKey });
  const engine = await openEngine({ choice: options.engine ?? "auto", directory, shared: [authorities, added], env, log });
  const authority = openCertificateAuthority(directory, Date.now);
  writeNodePreload(directory);
  // Containers can run as another user, who reads these files too.
  const trusted = collectAuthorities(authority.certificate, env);
  writeFileAtomically(authorities, trusted.bundle, { mode: 0o644, isReproducible: true });
  writeFileAtomically(added, trusted.added, { mode: 0o644, isReproducible: true });
  let backend: Backend;
  const recording = options.env["CLOUDRUN_OAUTH_RECORD"];
  const recorder = recording ? openRecorder(recording) : undefined;
  const route: Router = (request, host, target) => backend.router(request, host, target);

  const reset = async (): Promise<void> => {
    await backend.close();
    // First, so that an interrupted reset has removed everything that counts: the next start removes the rest.
    removeJournal(directory);
    for (const name of readdirSync(directory))
      if (!SURVIVES_RESET.has(name)) rmSync(join(directory, name), { recursive: true, force: true });
    await engine.sweep();
    backend = await open();
  };
  const status = (): EmulatorStatus => ({
    pid,
    url,
    project,
    region,
    data_dir: directory,
    environment: shellEnvironment({ url, directory, project, region }),
    engine: engine.status(),
    services: backend.services(),
  });
  const createCallerKey = (): Promise<void> => backend.createCallerKey();
  const server = createEmulatorServer({
    authority,
    router: recorder?.wrap(route) ?? route,
    frontDoor: (request, response, host) => backend.frontDoor(request, response, host),
    now,
    admin: createAdmin({ status, createCallerKey, reset, faults, clock, logs: () => backend.logs, state: () => backend.state }),
    intercept: (request, response, host) => faults.inject(request, response, host),
    upstream: upstreamProxy(env),
    log,
  });
  // Last, since it waits for the operator's key.
  backend = await open();
  const url = `http://127.0.0.1:${await server.listen(port)}`;
  announce(url);

  let closed: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await server.close();
    await backend.close();
    await engine.close();
    recorder?.close();
  };
  const close = (): Promise<void> => (closed ??= end());
  return {
    url,
    status,
    createCallerKey,
    close,
    async remove() {
      await close();
      rmSync(directory, { recursive: true, force: true });
      await engine.sweep();
    },
  };
}

/** What a reset keeps, so that shells that point to the emulator, and a signed-in gcloud, continue to work. */
const SURVIVES_RESET = new Set(["keys", "gcloud", "ca-bundle.pem", "ca-added.pem", "node-client.cjs"]);
