import type { Send } from "../http/request.ts";
import type { Settings } from "../settings/settings.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface CloudContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute; gcloud runs here. */
  readonly cwd: string;
  readonly settings: Pick<Settings, "get">;
  readonly terminal: Pick<Terminal, "debug" | "interactive" | "json" | "note" | "offer" | "quiet" | "step" | "verbose" | "wait" | "warn">;
  readonly signal: AbortSignal;
  readonly send: Send;
}
