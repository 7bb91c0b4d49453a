import type { ImageConfig } from "../state/resources.ts";

/** Builds images and runs instances of them. */
export interface Engine {
  /** The engine that carries out `build`. */
  readonly name: "process" | "container";
  /**
   * Builds the Dockerfile of a context folder into `directory`, which it makes.
   * Throws BuildError where the build fails; whatever it wrote by then is gone.
   */
  build(options: BuildOptions): Promise<ImageConfig>;
  /** What starts the images that the engine of this name has built; undefined where this emulator has it not. */
  runnerOf(name: string): Pick<Engine, "start"> | undefined;
  /** Starts one instance of an image that it has built; returns as soon as its process is there. Whether it listens is the caller's to probe. */
  start(options: StartOptions): Promise<Instance>;
}

export interface BuildOptions {
  /** The folder that COPY copies from. */
  readonly context: string;
  /** Relative to the context. */
  readonly dockerfile: string;
  /** Where the image goes. */
  readonly directory: string;
  /** Takes the build's output as it comes, in whole or part lines. */
  readonly log: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface StartOptions {
  /** What `build` filled. */
  readonly directory: string;
  readonly config: ImageConfig;
  /** The revision's own command and args, which replace the image's ENTRYPOINT and CMD as Kubernetes has it. */
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  /** All of the instance's environment besides the image's ENV; nothing of the emulator's own gets in. */
  readonly env: Readonly<Record<string, string>>;
  /** What the instance may use, in bytes and processors; without limit where it is not said. */
  readonly limits?: { readonly memory: number; readonly cpu: number };
  /** Folders of this machine that the instance has at paths of its own, to read. */
  readonly mounts?: readonly { readonly directory: string; readonly path: string }[];
  /** The loopback port that the instance has to listen on, as PORT says. */
  readonly port: number;
  readonly log: (stream: "stdout" | "stderr", line: string) => void;
}

export interface Instance {
  readonly pid: number;
  readonly port: number;
  /** How the instance ended; never rejects. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** SIGTERM, then SIGKILL after `grace` milliseconds, to the instance and all that it started. Resolves when they are gone. */
  stop(grace: number): Promise<void>;
}

/** A build that failed by its own fault: the text ends the build log. */
export class BuildError extends Error {
  override readonly name = "BuildError";
}
