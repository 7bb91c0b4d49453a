import { unsupported, type Instruction } from "./dockerfile.ts";
import type { ImageConfig } from "../../state/resources.ts";

export interface BaseImage {
  readonly reference: string;
  readonly runtime: "node" | "python";
  /** The version in the reference, as far as it is given: `22`, `3.12.4`. */
  readonly version: string | undefined;
  readonly config: ImageConfig;
}

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const PROGRAMS = { node: "node", python: "python3" } as const;

/** Parses a base image's reference. Throws a BuildError for images that neither the host's Node nor its Python can replace. */
export function parseBaseImage(reference: string, from: Instruction): BaseImage {
  const [, repository = "", tag = ""] = /^([^@:]*(?::\d+\/[^@:]*)?)(?::([^@]*))?(?:@.*)?$/.exec(reference) ?? [];
  const name = repository.split("/").at(-1) ?? "";
  if (name === "node" || name === "python") {
    return { reference, runtime: name, version: /^\d+(\.\d+)*/.exec(tag)?.[0], config: config([], [PROGRAMS[name]]) };
  }

  // Distroless images have their runtime as entrypoint, and its version in their name.
  const [, runtime, version] = /(?:^|\/)distroless\/(nodejs|python)(\d*)(?:-debian\d+)?$/.exec(repository) ?? [];
  if (runtime === "nodejs") return { reference, runtime: "node", version: version || undefined, config: config(["node"], []) };
  if (runtime === "python") return { reference, runtime: "python", version: version || undefined, config: config(["python3"], []) };

  throw unsupported(
    from,
    `supports only Node.js and Python base images, not ${reference}`,
    "Use a base image such as node:22-slim or python:3.12-slim",
  );
}

function config(Entrypoint: readonly string[], Cmd: readonly string[]): ImageConfig {
  return { Env: [PATH], Entrypoint, Cmd, WorkingDir: "/", User: "" };
}

/** Whether a runtime of version `actual` is what a tag such as `22` or `3.12` asks for. */
export function matchesTag(actual: string, wanted: string | undefined): boolean {
  return wanted === undefined || `${actual}.`.startsWith(`${wanted}.`);
}
