import type { Found } from "./container/program.ts";

/** Neither docker nor podman works on this machine; the message says of each why. */
export class NoContainerEngine extends Error {
  override readonly name = "NoContainerEngine";

  constructor({ passedOver }: Found) {
    super(`No container engine works on this machine: ${passedOver.join("; ")}.`);
  }
}
