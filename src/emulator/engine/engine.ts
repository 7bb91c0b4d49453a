import type { ProcessGroup } from "./process-group.ts";
import type { ImageConfig } from "../state/resources.ts";

export interface Engine {
  readonly name: "process" | "container";
  /** Builds a Dockerfile into `directory`, which it creates. Throws BuildError if the build fails, and leaves nothing behind. */
  build(options: BuildOptions): Promise<ImageConfig>;
  /** Starts the images that the named engine built; undefined if this emulator doesn't have that engine. */
  runnerOf(name: string): Pick<Engine, "start"> | undefined;
  /** Starts an instance of an image that this engine built. Returns as soon as its process exists; the caller probes whether it listens. */
  start(options: StartOptions): Promise<Instance>;
}

export interface BuildOptions {
  /** The folder that COPY copies from. */
  readonly context: string;
  /** Relative to the context. */
  readonly dockerfile: string;
  readonly directory: string;
  /** Receives the build's output as it arrives, in whole or partial lines. */
  readonly log: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface StartOptions {
  /** The image's directory, as `build` filled it. */
  readonly directory: string;
  readonly config: ImageConfig;
  /** The revision's own command and args, which replace the image's ENTRYPOINT and CMD as in Kubernetes. */
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  /** The instance's whole environment besides the image's ENV; nothing of the emulator's own is added. */
  readonly env: Readonly<Record<string, string>>;
  /** The instance's limits: bytes and CPUs. Unlimited if undefined. */
  readonly limits?: { readonly memory: number; readonly cpu: number };
  /** Folders on the host that the instance sees at other paths, read-only. */
  readonly mounts?: readonly { readonly directory: string; readonly path: string }[];
  /** The loopback port that the instance must listen on, as PORT says. */
  readonly port: number;
  readonly log: (stream: "stdout" | "stderr", line: string) => void;
}

export interface Instance extends ProcessGroup {
  readonly port: number;
}

/** A build that failed through its own fault: the message ends the build log. */
export class BuildError extends Error {
  override readonly name = "BuildError";
}
