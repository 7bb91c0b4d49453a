import { CR, LF, NAME, VALUE } from "./fields.ts";

/** Follows a body in chunks (RFC 9112, section 7.1) as its bytes pass by, in whatever pieces they come. */
export interface ChunkReader {
  /**
   * Reads on from an index; gives where the body ends, or -1 where it goes on in the next piece. Throws where this is not how chunks are written.
   * `see` is shown the data.
   */
  read(bytes: Buffer, from: number, see?: (data: Buffer) => void): number;
  /** The fields after the last chunk, each with its line end. */
  trailers(): string;
}

/** Hexadecimal digits of a size: more, and a number would not hold it. */
const MOST_DIGITS = 12;
/** Bytes of an extension, and of all trailers. */
const MOST_EXTRA = 16 * 1024;
const COLON = 58;
const SEMICOLON = 59;

type Place = "size" | "extension" | "size end" | "data" | "data CR" | "data LF" | "line" | "name" | "value" | "value LF" | "last LF";

export function createChunkReader(): ChunkReader {
  let place: Place = "size";
  let size = 0;
  let digits = 0;
  let extra = 0;
  let trailers = "";

  /** One byte outside of the data; true where it was the body's last. */
  const step = (code: number): boolean => {
    switch (place) {
      case "size": {
        const digit = hexadecimal(code);
        if (digit >= 0 && digits < MOST_DIGITS) {
          size = size * 16 + digit;
          digits += 1;
        } else if (digits > 0 && code === CR) place = "size end";
        else if (digits > 0 && code === SEMICOLON) place = "extension";
        else throw new Malformed();
        return false;
      }
      case "extension":
        if (code === CR) place = "size end";
        else if (VALUE[code] !== 1) throw new Malformed();
        else grow();
        return false;
      case "size end":
        expect(code, LF);
        place = size === 0 ? "line" : "data";
        return false;
      case "data CR":
        expect(code, CR);
        place = "data LF";
        return false;
      case "data LF":
        expect(code, LF);
        place = "size";
        digits = 0;
        extra = 0;
        return false;
      case "line":
        if (code === CR) place = "last LF";
        else if (NAME[code] === 1) place = "name";
        else throw new Malformed();
        if (place === "name") keep(code);
        return false;
      case "name":
        if (code === COLON) place = "value";
        else if (NAME[code] !== 1) throw new Malformed();
        keep(code);
        return false;
      case "value":
        if (code === CR) place = "value LF";
        else if (VALUE[code] !== 1) throw new Malformed();
        keep(code);
        return false;
      case "value LF":
        expect(code, LF);
        place = "line";
        keep(code);
        return false;
      default:
        expect(code, LF);
        return true;
    }
  };
  const grow = (): void => {
    extra += 1;
    if (extra > MOST_EXTRA) throw new Malformed();
  };

  const keep = (code: number): void => {
    grow();
    trailers += String.fromCharCode(code);
  };

  return {
    trailers: () => trailers,
    read(bytes, from, see) {
      let at = from;
      while (at < bytes.length) {
        if (place === "data") {
          const until = Math.min(bytes.length, at + size);
          see?.(bytes.subarray(at, until));
          size -= until - at;
          at = until;
          if (size === 0) place = "data CR";
        } else {
          const isEnd = step(bytes[at] as number);
          at += 1;
          if (isEnd) return at;
        }
      }
      return -1;
    },
  };
}

/** The body is not what was announced. */
class Malformed extends Error {
  override readonly name = "Malformed";
  readonly code = "NOT_HTTP";
  override readonly message = "what it answers is not HTTP";
}

function expect(code: number, expected: number): void {
  if (code !== expected) throw new Malformed();
}

function hexadecimal(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
