import { CliError } from "../../errors/cli-error.ts";
import type { ErrorCode } from "../../errors/exit-codes.ts";
import { poll } from "../../http/poll.ts";
import { withRetry } from "../retry.ts";
import type { ApiClient, ApiRequest } from "./client.ts";

interface PollRequestOptions<Message> {
  readonly signal: AbortSignal | undefined;
  readonly firstPauseMs: number;
  readonly maxPauseMs?: number;
  /** An answer that is known already; it is checked first. */
  readonly known?: Message;
}

/** How many polls in a row can fail before the wait is given up: some minutes. */
const MAX_FAILED_POLLS = 20;

/** Gets a URL until a check of the answer gives something other than undefined, and returns that. Throws as the client and the check do. */
export function pollRequest<Message, Result>(
  client: ApiClient,
  url: string,
  check: (message: Message) => Result | undefined | Promise<Result | undefined>,
  { signal = new AbortController().signal, firstPauseMs, maxPauseMs, known }: PollRequestOptions<Message>,
): Promise<Result> {
  const get = () => client.call<Message>({ method: "GET", url });
  let next = known;
  return poll<Result>(
    async () => {
      const message = next ?? (await withRetry(get, { signal, failures: MAX_FAILED_POLLS }));
      next = undefined;
      return check(message);
    },
    { signal, firstPauseMs, maxPauseMs },
  );
}

/** A long-running operation: https://google.aip.dev/151 */
export interface Operation {
  readonly name: string;
  readonly done?: boolean;
  readonly error?: { readonly message?: string };
}

/** Sends a request, and waits until the operation that it starts has succeeded. Throws as the client does, and the given code if the operation fails. */
export async function runOperation(
  client: ApiClient,
  request: ApiRequest,
  signal: AbortSignal | undefined,
  code: ErrorCode = "GCLOUD_FAILED",
): Promise<void> {
  const { host, origin } = new URL(request.url);
  const known = await client.call<Operation>(request);
  const check = (latest: Operation) => (latest.done ? latest : undefined);
  const options = { signal, firstPauseMs: 300, maxPauseMs: 1000, known };
  const { error } = await pollRequest(client, `${origin}/v1/${known.name}`, check, options);
  if (error) throw new CliError(code, `${host} reported an error: ${error.message ?? "unknown error"}`);
}
