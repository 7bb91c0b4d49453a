export interface StartOptions {
  /** The project's ID. Default: `cloudrun-local`. */
  readonly project?: string;
  /** Where services are deployed. Default: `us-central1`. */
  readonly region?: string;
  /** The folder that holds the state. Default: a temporary one, which is deleted when the emulator is closed. */
  readonly directory?: string;
  /** What builds and runs services. Default: a container engine if one works, else processes on this machine. */
  readonly engine?: "auto" | "container" | "process";
  /** Receives the emulator's log line by line, with what services and builds print. */
  readonly log?: (line: string) => void;
}

export interface DeployOptions {
  /** Default: the service in the folder's `cloudrun-oauth.json`, else the folder's name. */
  readonly name?: string;
  /** Makes the service public. Default: false. */
  readonly allowUnauthenticated?: boolean;
  /** Principals that can invoke it: `serviceAccount:caller@PROJECT.iam.gserviceaccount.com`, or the address alone. */
  readonly members?: readonly string[];
  /** The service's environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** The account that the service runs as. Default: the project's default service account. */
  readonly serviceAccount?: string;
}

export interface Service {
  readonly name: string;
  /** `https://…run.app`; also the audience of its tokens. */
  readonly url: string;
  readonly revision: string;
}

/** An injected error; `cloudrun-oauth emulator fault add --help` explains the fields. */
export interface Fault {
  /** `HOST/PATH`, with `*` for anything between two slashes and `**` for anything: `oauth2.googleapis.com/token`, `*.run.app`. */
  readonly match: string;
  readonly method?: string;
  /** From 400 to 599. */
  readonly status?: number;
  /** With the status 403: as if the project were in a perimeter of VPC Service Controls. */
  readonly reason?: "VPC_SERVICE_CONTROLS";
  /** Seconds, for the header Retry-After. */
  readonly retryAfter?: number;
  /** Milliseconds to wait first. */
  readonly latency?: number;
  /** Resets the connection. */
  readonly reset?: true;
  /** Closes the connection after this many bytes of the body. */
  readonly truncate?: number;
  /** How many requests it affects. Default: all. */
  readonly times?: number;
}

export interface FetchOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A local Cloud Run in this process. What fails rejects with a `CliError` of `cloudrun-oauth`; its `code` says why. */
export interface Emulator {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly project: string;
  readonly region: string;
  /** Environment variables that make a child process use the emulator: `{ ...process.env, ...emulator.env }`. Undefined means that the variable must not be set. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Creates a key for a service account, and the account if it doesn't exist; resolves to the path of the key file. `email` can be the part before the @ alone. */
  createKey(email: string): Promise<string>;
  /** Builds a folder and deploys it, private by default; resolves when its revision is ready. */
  deploy(directory: string, options?: DeployOptions): Promise<Service>;
  /** Grants a member a role on a service; `roles/run.invoker` by default. */
  grant(service: string, member: string, role?: string): Promise<void>;
  /** Revokes a role. */
  revoke(service: string, member: string, role?: string): Promise<void>;
  /** Fetches an ID token for a key file's account. */
  fetchIdToken(options: { readonly credentials: string; readonly audience: string }): Promise<string>;
  /** Calls a service or a Google API under its real URL; doesn't follow redirects. */
  fetch(url: string | URL, options?: FetchOptions): Promise<Response>;
  /** Makes requests fail from now on. */
  addFault(fault: Fault): Promise<void>;
  clearFaults(): Promise<void>;
  /** Sets the emulator's clock this many milliseconds ahead of the machine's, or behind. */
  moveClock(shiftMs: number): Promise<void>;
  /** Stops it and all services. */
  close(): Promise<void>;
}
