import type { Send } from "../http/request.ts";

/** What fetching a token needs of a command's context. */
export interface AuthContext {
  readonly send: Send;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends whatever is running. */
  readonly signal?: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}
