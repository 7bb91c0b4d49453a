import { CR, LF, NAME_CHARACTERS, VALUE_CHARACTERS } from "./header-fields.ts";
import { MalformedResponse } from "./malformed-response.ts";

/** Finds the end of a body in chunks (RFC 9112, section 7.1), in whatever pieces it arrives. */
export interface ChunkReader {
  /** Reads on from an index; returns where the body ends, undefined if it goes on in the next piece. Throws MalformedResponse. */
  read(bytes: Buffer, from: number): number | undefined;
}

/** Hexadecimal digits of a size: a number can't hold more. */
const MAX_SIZE_DIGITS = 12;
/** Bytes of an extension, and of all trailers. */
const MAX_EXTRA_BYTES = 16 * 1024;
const COLON = 58;
const SEMICOLON = 59;

type State = "size" | "extension" | "size end" | "data" | "data CR" | "data LF" | "line" | "name" | "value" | "value LF" | "last LF";

export function createChunkReader(): ChunkReader {
  let state: State = "size";
  let size = 0;
  let digits = 0;
  let extraBytes = 0;

  /** Reads one byte that isn't data; true if it is the body's last. */
  const step = (code: number): boolean => {
    switch (state) {
      case "size": {
        const digit = hexadecimal(code);
        if (digit >= 0 && digits < MAX_SIZE_DIGITS) {
          size = size * 16 + digit;
          digits += 1;
        } else if (digits > 0 && code === CR) state = "size end";
        else if (digits > 0 && code === SEMICOLON) state = "extension";
        else throw new MalformedResponse();
        return false;
      }
      case "extension":
        if (code === CR) state = "size end";
        else readExtra(VALUE_CHARACTERS[code] === 1);
        return false;
      case "size end":
        expect(code, LF);
        state = size === 0 ? "line" : "data";
        return false;
      case "data CR":
        expect(code, CR);
        state = "data LF";
        return false;
      case "data LF":
        expect(code, LF);
        state = "size";
        digits = 0;
        extraBytes = 0;
        return false;
      case "line":
        if (code === CR) state = "last LF";
        else {
          readExtra(NAME_CHARACTERS[code] === 1);
          state = "name";
        }
        return false;
      case "name":
        readExtra(code === COLON || NAME_CHARACTERS[code] === 1);
        if (code === COLON) state = "value";
        return false;
      case "value":
        if (code === CR) state = "value LF";
        else readExtra(VALUE_CHARACTERS[code] === 1);
        return false;
      case "value LF":
        expect(code, LF);
        state = "line";
        return false;
      default:
        expect(code, LF);
        return true;
    }
  };
  const readExtra = (isValid: boolean): void => {
    extraBytes += 1;
    if (!isValid || extraBytes > MAX_EXTRA_BYTES) throw new MalformedResponse();
  };

  return {
    read(bytes, from) {
      for (let at = from; at < bytes.length;) {
        if (state === "data") {
          const until = Math.min(bytes.length, at + size);
          size -= until - at;
          at = until;
          if (size === 0) state = "data CR";
        } else {
          const isEnd = step(bytes[at] as number);
          at += 1;
          if (isEnd) return at;
        }
      }
      return undefined;
    },
  };
}

function expect(code: number, expected: number): void {
  if (code !== expected) throw new MalformedResponse();
}

function hexadecimal(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
