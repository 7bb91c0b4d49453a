import type { Readable } from "node:stream";

// Cloud Logging takes entries of at most 256 KiB: https://cloud.google.com/logging/quotas
const MAX_LINE_CHARS = 256 * 1024;

/** Passes on each line of a stream, in pieces of 256 Ki characters if it is longer. Resolves when the stream has ended. */
export async function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  let pending = "";
  stream.setEncoding("utf8");
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      const lines = (pending + chunk).split("\n");
      pending = lines.pop() ?? "";
      for (const line of lines) onLine(emitFullPieces(line, onLine));
      pending = emitFullPieces(pending, onLine);
    }
  } catch {
    // The stream broke off with its process: what was read before counts.
  }
  if (pending !== "") onLine(pending);
}

/** Passes on all pieces of a line but the last, which it returns. */
function emitFullPieces(line: string, onLine: (piece: string) => void): string {
  let rest = line;
  for (; rest.length > MAX_LINE_CHARS; rest = rest.slice(MAX_LINE_CHARS)) onLine(rest.slice(0, MAX_LINE_CHARS));
  return rest;
}
