import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pid } from "node:process";
import { createAdmin } from "./admin.ts";
import { openCertificateAuthority } from "./certificates.ts";
import { createClock } from "./clock.ts";
import { openMachineEngine, type EngineChoice } from "./engine/machine-engine.ts";
import { authoritiesBundle, environment, filesOf, withoutEmulator } from "./environment.ts";
import { createFaults } from "./faults/faults.ts";
import { openGoogle } from "./google.ts";
import { removeJournal } from "./journal.ts";
import { upstreamProxy } from "./proxy.ts";
import { openRecorder } from "./recorder.ts";
import type { Router } from "./router.ts";
import type { Running } from "./running.ts";
import { callerEmail } from "./seed.ts";
import { listen } from "./server.ts";
import { sweepUnfinished, writeWhole } from "./write-whole.ts";

export { NoContainerEngine } from "./engine/container.ts";
export { findContainerProgram } from "./engine/container/program.ts";
export type { EngineChoice } from "./engine/machine-engine.ts";
export { emulatorHome } from "./home.ts";
export { JournalError } from "./journal.ts";
export { describeKeyPair } from "./oauth2/key-pair.ts";
export { claimHome, fetchStatus, findRunning, hasEnded, publish, releaseHome, retract, terminate, type Running } from "./running.ts";

interface EmulatorOptions {
  /** Where the state is kept; made where it is missing. Only one emulator at a time may have it. */
  readonly directory: string;
  /** 0 takes a port that is free. */
  readonly port: number;
  /** `cloudrun-local` where it is not said. */
  readonly project?: string;
  /** What `environment` tells clients; services may be in any region. */
  readonly region?: string;
  /** What builds and runs services: a container engine where one works, else processes of this machine, unless it is said. */
  readonly engine?: EngineChoice;
  /** The emulator's own environment: the way out through a proxy, further certificate authorities, and which Python runs services. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One line of the emulator's own log. */
  readonly log?: (line: string) => void;
  /** A file that gets a line for every request to a Google API: see `openRecorder`. */
  readonly record?: string;
  /** Milliseconds until a change of a policy takes effect, as at Google; none where it is not said. */
  readonly iamPropagation?: number;
}

/** A Cloud Run on this machine. */
export interface Emulator {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  status(): Running;
  /** Ends the services and lets go of the port; what is in the directory stays. */
  close(): Promise<void>;
  /** The same, and leaves nothing: neither the directory, nor what a container engine has kept for it. */
  remove(): Promise<void>;
}

/**
 * Starts an emulator in this process; it answers when the promise resolves. Rejects with Node's error where the port or the directory is not to be had,
 * and with NoContainerEngine where one is asked for and none works.
 */
export async function createEmulator({
  directory,
  port,
  project = "cloudrun-local",
  region = "us-central1",
  log = () => undefined,
  record,
  iamPropagation = 0,
  ...options
}: EmulatorOptions): Promise<Emulator> {
  const env = withoutEmulator(options.env);
  const { authorities, cache } = filesOf(directory, project);
  const forgetTokens = (): void => rmSync(cache, { recursive: true, force: true });
  forgetTokens();
  const clock = createClock(forgetTokens);
  const faults = createFaults();
  const { now } = clock;
  for (const folder of [directory, join(directory, "keys")]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    sweepUnfinished(folder);
  }
  let announce: (url: string) => void = () => undefined;
  const address = new Promise<string>((resolve) => (announce = resolve));
  const open = () => openGoogle({ directory, project, engine, now, log, address, iamPropagation });
  const engine = await openMachineEngine({ choice: options.engine ?? "auto", directory, shared: [authorities], env, log });
  const authority = await openCertificateAuthority(directory, Date.now);
  // The user that a container runs as may be another one.
  writeWhole(authorities, authoritiesBundle(authority.certificate, env), 0o644);
  let google = await open();
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
    environment: environment({ url, directory, project, region, caller: callerEmail(project) }),
    engine: engine.status(),
    services: google.services(),
  });
  const server = await listen(port, {
    authority,
    router: recorder?.wrap(route) ?? route,
    frontDoor: (request, response, host) => google.frontDoor(request, response, host),
    admin: createAdmin({ status, reset, faults, clock, logs: () => google.logs, state: () => google.state }),
    async meet(request, response, host) {
      response.setHeader("date", new Date(now()).toUTCString());
      return faults.strike(request, response, host);
    },
    upstream: upstreamProxy(env),
    log,
  });
  const url = `http://127.0.0.1:${server.port}`;
  announce(url);

  let closed: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await server.close();
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

/** The variables that lead programs to a project of a running emulator, as its operator. */
export function environmentOf(
  { url, data_dir, region }: Pick<Running, "url" | "data_dir" | "region">,
  project: string,
): Running["environment"] {
  return environment({ url, directory: data_dir, project, region, caller: callerEmail(project) });
}

/** What a reset leaves: shells that were brought to the emulator, and a gcloud that is signed in, go on working. */
const KEPT = new Set(["keys", "gcloud", "ca-bundle.pem"]);
