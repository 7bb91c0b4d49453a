import type { Addresses } from "../headers.ts";
import { answeredCookie, answeredLocation } from "../headers.ts";
import { createFieldReader, INCOMPLETE, ODD } from "./fields.ts";

/** An answer whose end leaves no doubt. */
export interface AnswerHead {
  readonly status: number;
  /** The status line, and the fields that go on to the caller. */
  readonly kept: string;
  /** Where the body begins. */
  readonly end: number;
  /** Bytes of the body; undefined where it is in chunks, or lasts until the connection closes. */
  readonly length: number | undefined;
  readonly isChunked: boolean;
  /** The service takes no more requests on this connection. */
  readonly isLast: boolean;
  /** Identity-Aware Proxy may have answered, and not the service. */
  readonly isFromIap: boolean;
}

const IAP = "x-goog-iap-generated-response";
const CONNECTION = ["keep-alive", "proxy-connection", "te", "upgrade", "http2-settings", "alt-svc"];
const readFields = createFieldReader([...CONNECTION, "connection", "transfer-encoding", "content-length", "location", "set-cookie", IAP]);
const LINE = /HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?\r\n/y;
/** The longest status line that is waited for. */
const LONGEST_LINE = 1024;

/** Reads the head that a text begins with, in latin1, of an answer to a request of that method. */
export function readAnswerHead(text: string, method: string, addresses: Addresses): AnswerHead | typeof INCOMPLETE | typeof ODD {
  LINE.lastIndex = 0;
  const line = LINE.exec(text);
  if (!line) return text.length < LONGEST_LINE && !text.includes("\n") ? INCOMPLETE : ODD;
  const status = Number(line[2]);
  let length: number | undefined;
  let isChunked = false;
  let isLast = line[1] === "0";
  let isFromIap = false;
  let isOdd = false;
  const fields = readFields(text, LINE.lastIndex, (name, value) => {
    switch (name) {
      case "connection": {
        for (const wish of value
          .toLowerCase()
          .split(",")
          .map((each) => each.trim())) {
          if (wish === "close") isLast = true;
          // RFC 9110, section 7.6.1: it may name further fields that are not to be passed on.
          else if (wish !== "keep-alive" && wish !== "upgrade") isOdd = true;
        }
        return "";
      }
      case "transfer-encoding":
        if (isChunked || isLast || value.toLowerCase() !== "chunked") isOdd = true;
        isChunked = true;
        return "";
      case "content-length":
        if (length !== undefined || !/^\d{1,15}$/.test(value)) isOdd = true;
        length = Number(value);
        return undefined;
      case IAP:
        isFromIap = true;
        return undefined;
      case "location":
        return `Location: ${answeredLocation(value, addresses)}\r\n`;
      case "set-cookie":
        return `Set-Cookie: ${answeredCookie(value, addresses)}\r\n`;
      default:
        return "";
    }
  });
  if (typeof fields === "string") return fields;
  // RFC 9112, section 6.3: who says both may have been made to.
  if (isOdd || (isChunked && length !== undefined)) return ODD;
  if (method === "HEAD" || status === 204 || status === 304 || status < 200)
    return { status, ...fields, length: 0, isChunked: false, isLast, isFromIap };
  const isUntilClose = !isChunked && length === undefined;
  return { status, ...fields, length, isChunked, isLast: isLast || isUntilClose, isFromIap };
}

/** The fields of a head that was read, by their names in lower case. */
export function fieldsOf(text: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of text.split("\r\n").slice(1)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (colon > 0) fields[name] = name in fields ? `${fields[name]}, ${value}` : value;
  }
  return fields;
}
