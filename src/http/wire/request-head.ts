import { createFieldReader, INCOMPLETE, ODD, type Meet } from "./fields.ts";

/** A request as most are: RFC 9112 leaves no doubt about where it ends, and it wants nothing that concerns the connection but its end. */
export interface RequestHead {
  readonly method: string;
  /** Begins with a slash. */
  readonly path: string;
  /** The request line, and the fields that were not taken out. */
  readonly kept: string;
  /** Where the body begins. */
  readonly end: number;
  readonly host: string;
  /** Bytes of the body; undefined where nothing is said of it. */
  readonly length: number | undefined;
  /** The caller takes no further answer. */
  readonly isLast: boolean;
}

type ReadRequestHead = (text: string, meet: Meet) => RequestHead | typeof INCOMPLETE | typeof ODD;

/** Fields that change how a request is read, or whom it is for. */
const READ = ["host", "connection", "content-length"];
/** Fields that are for a reader of all of HTTP. */
const UNCOMMON = ["transfer-encoding", "expect", "upgrade"];
const LINE = /(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\/[\x21\x22\x24-\x7e]*) HTTP\/1\.1\r\n/y;

/**
 * Reads the head that a text begins with, in latin1; it is odd where it is none of the common ones. Fields of these names, or all of them, are met besides;
 * so are those of the request's host, connection and length.
 */
export function createRequestHeadReader(names: readonly string[] | "all"): ReadRequestHead {
  const readFields = createFieldReader(names === "all" ? names : [...names, ...READ, ...UNCOMMON]);
  return (text, meet) => {
    LINE.lastIndex = 0;
    const line = LINE.exec(text);
    if (!line) return text.includes("\n") ? ODD : INCOMPLETE;
    let host: string | undefined;
    let length: number | undefined;
    let isLast = false;
    let isOdd = false;
    const fields = readFields(text, LINE.lastIndex, (name, value, spelled) => {
      switch (name) {
        case "host":
          if (host !== undefined) isOdd = true;
          host = value;
          break;
        case "connection":
          if (value === "close" || value === "Close") isLast = true;
          else if (value.toLowerCase() !== "keep-alive") isOdd = true;
          break;
        case "content-length":
          if (length !== undefined || !/^\d{1,15}$/.test(value)) isOdd = true;
          length = Number(value);
          break;
        case "transfer-encoding":
        case "expect":
        case "upgrade":
          isOdd = true;
          return undefined;
        default:
      }
      return meet(name, value, spelled);
    });
    if (typeof fields === "string") return fields;
    if (isOdd || host === undefined) return ODD;
    const { kept, end } = fields;
    return { method: line[1] as string, path: line[2] as string, kept, end, host, length, isLast };
  };
}
