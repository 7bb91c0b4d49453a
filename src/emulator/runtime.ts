import type { Engine } from "./engine/engine.ts";
import type { SigningKeys } from "./oauth2/signing-keys.ts";
import type { State } from "./state/state.ts";

/** What the emulator's parts share; each takes the members that it needs. */
export interface Runtime {
  readonly state: State;
  readonly engine: Engine;
  readonly signingKeys: SigningKeys;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

export type TokenRuntime = Pick<Runtime, "state" | "signingKeys" | "now">;
