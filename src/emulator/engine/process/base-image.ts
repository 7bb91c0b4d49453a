import { refused, type Instruction } from "./dockerfile.ts";
import type { ImageConfig } from "../../state/resources.ts";

/** What a FROM names, as far as this machine can stand in for it. */
export interface BaseImage {
  readonly reference: string;
  readonly runtime: "node" | "python";
  /** The version that the reference asks for, as far as it says: `22`, `3.12.4`. */
  readonly version: string | undefined;
  readonly config: ImageConfig;
}

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const PROGRAMS = { node: "node", python: "python3" } as const;

/** Reads a base image's reference. Throws a BuildError for every image that neither Node nor Python of this machine can stand in for. */
export function readBaseImage(reference: string, from: Instruction): BaseImage {
  const [, repository = "", tag = ""] = /^([^@:]*(?::\d+\/[^@:]*)?)(?::([^@]*))?(?:@.*)?$/.exec(reference) ?? [];
  const name = repository.split("/").at(-1) ?? "";
  if (name === "node" || name === "python") {
    return { reference, runtime: name, version: /^\d+(\.\d+)*/.exec(tag)?.[0], config: config([], [PROGRAMS[name]]) };
  }

  // Distroless images are entered at their runtime, and carry its version in their name.
  const [, runtime, version] = /(?:^|\/)distroless\/(nodejs|python)(\d*)(?:-debian\d+)?$/.exec(repository) ?? [];
  if (runtime === "nodejs") return { reference, runtime: "node", version: version || undefined, config: config(["node"], []) };
  if (runtime === "python") return { reference, runtime: "python", version: version || undefined, config: config(["python3"], []) };

  throw refused(
    from,
    `carries out images based on node and python by this machine's own, and cannot stand in for ${reference}`,
    "Use a base image like node:22-slim or python:3.12-slim",
  );
}

function config(Entrypoint: readonly string[], Cmd: readonly string[]): ImageConfig {
  return { Env: [PATH], Entrypoint, Cmd, WorkingDir: "/", User: "" };
}

/** True where a runtime of version `actual` is what a tag like `22` or `3.12` asks for. */
export function satisfiesTag(actual: string, asked: string | undefined): boolean {
  return asked === undefined || `${actual}.`.startsWith(`${asked}.`);
}
