import type { Readable } from "node:stream";

// Cloud Logging takes no entry above 256 KiB: https://cloud.google.com/logging/quotas
const LONGEST = 256 * 1024;

/** Hands on each line of a stream without its line end; longer lines come in pieces of 256 Ki characters. Resolves when the stream has ended. */
export async function readLines(stream: Readable, take: (line: string) => void): Promise<void> {
  let pending = "";
  stream.setEncoding("utf8");
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      const lines = (pending + chunk).split("\n");
      pending = lines.pop() ?? "";
      for (const line of lines) take(takePieces(line, take));
      pending = takePieces(pending, take);
    }
  } catch {
    // The stream broke off with its process: what was read before counts.
  }
  if (pending !== "") take(pending);
}

/** Hands on all but the last piece of a line; gives back the last. */
function takePieces(line: string, take: (piece: string) => void): string {
  let rest = line;
  for (; rest.length > LONGEST; rest = rest.slice(LONGEST)) take(rest.slice(0, LONGEST));
  return rest;
}
