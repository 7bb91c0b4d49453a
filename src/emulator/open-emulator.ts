import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pid } from "node:process";
import { createAdmin } from "./server/admin.ts";
import { openCertificateAuthority } from "./server/certificate-authority.ts";
import { createClock } from "./server/clock.ts";
import { openMachineEngine } from "./engine/choose-engine.ts";
import { environment, filesOf, trustedAuthorities, withoutEmulator } from "./environment/environment.ts";
import { createFaults } from "./faults/faults.ts";
import { openBackend, type Google } from "./backend.ts";
import type { Emulator, EmulatorOptions } from "./index.ts";
import { removeJournal } from "./state/journal.ts";
import { writeNodeClient } from "./environment/node-preload.ts";
import type { KeyPair } from "./oauth2/key-pair.ts";
import { upstreamProxy } from "./server/forward-proxy.ts";
import { openRecorder } from "./server/recorder.ts";
import type { Router } from "./server/router.ts";
import type { Running } from "./environment/pid-file.ts";
import { createDoor } from "./server/server.ts";
import { sweepUnfinished, writeWhole } from "./state/atomic-write.ts";

/** The emulator of `createEmulator`, with the keys that a new project begins with. */
export async function openEmulator({
  directory,
  port,
  project = "cloudrun-local",
  region = "us-central1",
  log = () => undefined,
  record,
  iamPropagation = 0,
  firstKeys,
  ...options
}: EmulatorOptions & { readonly firstKeys: readonly Promise<KeyPair>[] }): Promise<Emulator> {
  const env = withoutEmulator(options.env);
  const { authorities, added, cache } = filesOf(directory, project);
  const forgetTokens = (): void => rmSync(cache, { recursive: true, force: true });
  forgetTokens();
  const clock = createClock(forgetTokens);
  const { now } = clock;
  const faults = createFaults(now);
  for (const folder of [directory, join(directory, "keys")]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    sweepUnfinished(folder);
  }
  let announce: (url: string) => void = () => undefined;
  const address = new Promise<string>((resolve) => (announce = resolve));
  const open = () => openBackend({ directory, project, engine, now, log, address, iamPropagation, firstKeys });
  const engine = await openMachineEngine({ choice: options.engine ?? "auto", directory, shared: [authorities, added], env, log });
  const authority = openCertificateAuthority(directory, Date.now);
  // The user that a container runs as may be another one.
  writeNodeClient(directory);
  const trusted = trustedAuthorities(authority.certificate, env);
  writeWhole(authorities, trusted.bundle, { mode: 0o644, isRemade: true });
  writeWhole(added, trusted.added, { mode: 0o644, isRemade: true });
  let google: Google;
  const recorder = record === undefined ? undefined : openRecorder(record, now);
  const route: Router = (request, host, target) => google.router(request, host, target);

  const reset = async (): Promise<void> => {
    await google.close();
    // First, so that a reset that is cut off has forgotten everything: the next start clears the rest away.
    removeJournal(directory);
    for (const name of readdirSync(directory)) if (!KEPT.has(name)) rmSync(join(directory, name), { recursive: true, force: true });
    await engine.sweep();
    google = await open();
  };
  const status = (): Running => ({
    pid,
    url,
    project,
    region,
    data_dir: directory,
    environment: environment({ url, directory, project, region }),
    engine: engine.status(),
    services: google.services(),
  });
  const door = createDoor({
    authority,
    router: recorder?.wrap(route) ?? route,
    frontDoor: (passage, host) => google.frontDoor(passage, host),
    now,
    admin: createAdmin({ status, reset, faults, clock, logs: () => google.logs, state: () => google.state }),
    meet: (request, response, host) => faults.strike(request, response, host),
    isMet: () => !faults.isQuiet(),
    upstream: upstreamProxy(env),
    log,
  });
  // Last, since keys are being made meanwhile.
  google = await open();
  const url = `http://127.0.0.1:${await door.listen(port)}`;
  announce(url);

  let closed: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await door.close();
    await google.close();
    await engine.close();
    recorder?.close();
  };
  const close = (): Promise<void> => (closed ??= end());
  return {
    url,
    status,
    close,
    async remove() {
      await close();
      rmSync(directory, { recursive: true, force: true });
      await engine.sweep();
    },
  };
}

/** What a reset leaves: shells that were brought to the emulator, and a gcloud that is signed in, go on working. */
const KEPT = new Set(["keys", "gcloud", "ca-bundle.pem", "ca-added.pem", "node-client.cjs"]);
