import { MalformedResponse } from "./malformed-response.ts";

/** Finds the end of a body in chunks (RFC 9112, section 7.1), in whatever pieces it arrives. */
export interface ChunkReader {
  /** Reads on from an index; returns where the body ends, undefined if it continues in the next piece. Throws MalformedResponse. */
  read(bytes: Buffer, from: number): number | undefined;
}

/** At most as many hexadecimal digits as a number can hold. */
const SIZE_LINE = /^([\da-f]{1,12})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n$/i;
const TRAILER_LINE = /^[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e\x80-\xff]*\r\n$/;
const LF = 10;
/** Bytes of a size line, and of all trailers. */
const MAX_LINES_BYTES = 16 * 1024;

export function createChunkReader(): ChunkReader {
  let expected: "size" | "data end" | "trailer" = "size";
  let dataBytesLeft = 0;
  let line = "";
  let trailerBytes = 0;

  /** Reads a complete line; true if it ends the body. */
  const readLine = (): boolean => {
    if (expected === "trailer") {
      if (line === "\r\n") return true;
      if (!TRAILER_LINE.test(line)) throw new MalformedResponse();
      trailerBytes += line.length;
    } else if (expected === "data end") {
      if (line !== "\r\n") throw new MalformedResponse();
      expected = "size";
    } else {
      const [, size] = SIZE_LINE.exec(line) ?? [];
      if (size === undefined) throw new MalformedResponse();
      dataBytesLeft = Number.parseInt(size, 16);
      expected = dataBytesLeft === 0 ? "trailer" : "data end";
    }
    line = "";
    return false;
  };

  return {
    read(bytes, from) {
      for (let at = from; at < bytes.length;) {
        const skipped = Math.min(dataBytesLeft, bytes.length - at);
        dataBytesLeft -= skipped;
        at += skipped;
        if (at === bytes.length) return undefined;
        const lineEnd = bytes.indexOf(LF, at) + 1 || bytes.length;
        line += bytes.toString("latin1", at, lineEnd);
        at = lineEnd;
        // A CR is part of a line end, also if the rest of the line is still to come.
        if (/\r[^\n]/.test(line) || (expected === "data end" && !"\r\n".startsWith(line))) throw new MalformedResponse();
        if (trailerBytes + line.length > MAX_LINES_BYTES) throw new MalformedResponse();
        if (line.endsWith("\n") && readLine()) return at;
      }
      return undefined;
    },
  };
}
