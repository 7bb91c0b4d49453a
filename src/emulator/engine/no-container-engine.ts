import type { ContainerProgramSearch } from "./container/container-program.ts";

/** Neither docker nor podman works; the message gives the reason for each. */
export class NoContainerEngine extends Error {
  override readonly name = "NoContainerEngine";

  constructor({ unusable }: ContainerProgramSearch) {
    super(`No container engine is available (${unusable.join("; ")}).`);
  }
}
