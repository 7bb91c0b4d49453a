import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { cwd, env } from "node:process";
import { createEmulator } from "../emulator/index.ts";
import { openTestEmulator } from "./test-emulator.ts";

export interface StartOptions {
  /** The project's id. Default: `cloudrun-local`. */
  readonly project?: string;
  /** Where services are deployed. Default: `us-central1`. */
  readonly region?: string;
  /** The folder that keeps the state. Default: a temporary one, which goes when the emulator is closed. */
  readonly directory?: string;
  /** What builds and runs services: a container engine where one works, else processes of this machine, unless it is said. */
  readonly engine?: "auto" | "container" | "process";
  /** Takes the emulator's own log, line by line: what services and builds print is in it. */
  readonly log?: (line: string) => void;
}

export interface DeployOptions {
  /** Default: the service of the folder's `cloudrun-oauth.json`, else the folder's name. */
  readonly name?: string;
  /** Lets everybody call it. Default: false. */
  readonly allowUnauthenticated?: boolean;
  /** Who may call it besides: `serviceAccount:caller@PROJECT.iam.gserviceaccount.com`, or the address alone. */
  readonly members?: readonly string[];
  /** The service's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whom it runs as; the project's default service account if it is not said. */
  readonly serviceAccount?: string;
}

export interface Service {
  readonly name: string;
  /** `https://…run.app`: the audience of its tokens too. */
  readonly url: string;
  readonly revision: string;
}

/** What is to go wrong; `cloudrun-oauth emulator fault add --help` explains it. */
export interface Fault {
  /** `HOST/PATH`, with `*` for what is between two slashes and `**` for anything: `oauth2.googleapis.com/token`, `*.run.app`. */
  readonly match: string;
  readonly method?: string;
  /** From 400 to 599. */
  readonly status?: number;
  /** With the status 403: as if the project lay in a perimeter of VPC Service Controls. */
  readonly reason?: "VPC_SERVICE_CONTROLS";
  /** Seconds, for the header Retry-After. */
  readonly retryAfter?: number;
  /** Milliseconds to wait first. */
  readonly latency?: number;
  /** Resets the connection. */
  readonly reset?: true;
  /** Ends the connection after so many bytes of the body. */
  readonly truncate?: number;
  /** For ever where it is not said. */
  readonly times?: number;
}

/** A Cloud Run in this process. What fails rejects with a `CliError` of `cloudrun-oauth`, whose `code` says what it was. */
export interface Emulator {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly project: string;
  readonly region: string;
  /** What leads programs to it, to be laid over a child process's environment: `{ ...process.env, ...emulator.env }`. Undefined stands for a variable that must not be set. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Makes a key for a service account, and the account where it is missing; resolves with the path of the key file. `email` may be its part before the @ alone. */
  createKey(email: string): Promise<string>;
  /** Builds a folder and deploys it, private unless it is said otherwise; resolves when its revision is ready. */
  deploy(directory: string, options?: DeployOptions): Promise<Service>;
  /** Gives a member a role on a service; `roles/run.invoker` where none is said. */
  grant(service: string, member: string, role?: string): Promise<void>;
  /** Takes a role away again. */
  revoke(service: string, member: string, role?: string): Promise<void>;
  /** An ID token of a key file's account. */
  fetchIdToken(options: { readonly credentials: string; readonly audience: string }): Promise<string>;
  /** Calls a service, or one of Google's APIs, under its own URL; redirects are not followed. */
  fetch(url: string | URL, options?: FetchOptions): Promise<Response>;
  /** Lets requests fail from here on. */
  addFault(fault: Fault): Promise<void>;
  clearFaults(): Promise<void>;
  /** Sets the emulator's clock so many milliseconds ahead of this machine's, or back. */
  moveClock(shift: number): Promise<void>;
  /** Ends it and all services. */
  close(): Promise<void>;
}

export interface FetchOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Starts an emulator on a port of 127.0.0.1 that is free; resolves when it answers. */
export async function startEmulator({ directory, ...options }: StartOptions = {}): Promise<Emulator> {
  const home = directory === undefined ? mkdtempSync(join(tmpdir(), "cloudrun-oauth-")) : resolve(directory);
  const emulator = await createEmulator({ ...options, directory: home, port: 0, env, record: env["CLOUDRUN_OAUTH_RECORD"] });
  await emulator.createCallerKey();
  const door = await openTestEmulator(emulator.status(), { env, cwd: cwd() });
  return { ...door, close: directory === undefined ? emulator.remove : emulator.close };
}
