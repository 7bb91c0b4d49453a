import { createFieldReader, INCOMPLETE, ODD, type Meet } from "./fields.ts";

/** An answer whose end leaves no doubt. */
export interface AnswerHead {
  readonly status: number;
  /** The status line, and the fields without those that say where the body ends and what becomes of the connection; its length is among them. */
  readonly kept: string;
  /** Where the body begins. */
  readonly end: number;
  /** Bytes of the body; undefined where it is in chunks, or lasts until the connection closes. */
  readonly length: number | undefined;
  readonly isChunked: boolean;
  /** The sender takes no more requests on this connection. */
  readonly isLast: boolean;
  /** RFC 9110, section 7.6.1: Connection names further fields, which are not to be passed on. */
  readonly isNominating: boolean;
}

type ReadAnswerHead = (text: string, method: string, meet: Meet) => AnswerHead | typeof INCOMPLETE | typeof ODD;

const LINE = /HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?\r\n/y;
/** The longest status line that is waited for. */
const LONGEST_LINE = 1024;
const READ = ["connection", "transfer-encoding", "content-length"];

/**
 * Reads the head that a text begins with, in latin1, of an answer to a request of a method. Fields of these names, or all of them, are met besides; so is
 * Content-Length.
 */
export function createAnswerHeadReader(names: readonly string[] | "all"): ReadAnswerHead {
  const readFields = createFieldReader(names === "all" ? names : [...names, ...READ]);
  return (text, method, meet) => {
    LINE.lastIndex = 0;
    const line = LINE.exec(text);
    if (!line) return text.length < LONGEST_LINE && !text.includes("\n") ? INCOMPLETE : ODD;
    const status = Number(line[2]);
    const isOld = line[1] === "0";
    let length: number | undefined;
    let isChunked = false;
    let isLast = false;
    let isToStay = !isOld;
    let isNominating = false;
    let isOdd = false;
    const fields = readFields(text, LINE.lastIndex, (name, value, spelled) => {
      switch (name) {
        case "connection": {
          for (const wish of value
            .toLowerCase()
            .split(",")
            .map((each) => each.trim())) {
            if (wish === "close") isLast = true;
            else if (wish === "keep-alive") isToStay = true;
            else if (wish !== "upgrade") isNominating = true;
          }
          return "";
        }
        case "transfer-encoding":
          if (isChunked || isOld || value.toLowerCase() !== "chunked") isOdd = true;
          isChunked = true;
          return "";
        case "content-length":
          if (length !== undefined || !/^\d{1,15}$/.test(value)) isOdd = true;
          length = Number(value);
          return meet(name, value, spelled);
        default:
          return meet(name, value, spelled);
      }
    });
    if (typeof fields === "string") return fields;
    // RFC 9112, section 6.3: who says both may have been made to.
    if (isOdd || (isChunked && length !== undefined)) return ODD;
    isLast ||= !isToStay;
    if (method === "HEAD" || status === 204 || status === 304 || status < 200) {
      length = 0;
      isChunked = false;
    } else if (!isChunked && length === undefined) isLast = true;
    // Written out: what `...` copies, V8 makes slowly, and a class of its own for each.
    const { kept, end } = fields;
    return { status, kept, end, length, isChunked, isLast, isNominating };
  };
}
