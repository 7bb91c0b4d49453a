import { mkdir, rename, rm } from "node:fs/promises";
import type { ImageConfig } from "../state/resources.ts";
import { BuildError, type BuildOptions } from "./engine.ts";

/** Builds an image in a directory of another name until it is complete: a crash leaves nothing that looks like an image. */
export async function buildPartialImage(
  { directory, signal }: Pick<BuildOptions, "directory" | "signal">,
  build: (partial: string) => Promise<ImageConfig>,
): Promise<ImageConfig> {
  const partial = `${directory}.partial`;
  try {
    signal.throwIfAborted();
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true, mode: 0o700 });
    const config = await build(partial);
    signal.throwIfAborted();
    await rm(directory, { recursive: true, force: true });
    await rename(partial, directory);
    return config;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (signal.aborted) throw new BuildError("The build was canceled.", { cause: error });
    throw error;
  }
}
