import { createAnswerHeadReader, type AnswerHead } from "../../../http/wire/response-head.ts";
import { ODD, type INCOMPLETE } from "../../../http/wire/fields.ts";
import type { Addresses } from "../headers.ts";
import { answeredCookie, answeredLocation } from "../headers.ts";

/** An answer's head, with what is kept as the caller gets it. */
export interface ServiceAnswerHead extends AnswerHead {
  /** Identity-Aware Proxy may have answered, and not the service. */
  readonly isFromIap: boolean;
}

const IAP = "x-goog-iap-generated-response";
const DROPPED = ["keep-alive", "proxy-connection", "te", "upgrade", "http2-settings", "alt-svc"];
const readHead = createAnswerHeadReader([...DROPPED, "location", "set-cookie", IAP]);

/** Reads the head that a text begins with, in latin1, of a service's answer to a request of that method. */
export function readAnswerHead(text: string, method: string, addresses: Addresses): ServiceAnswerHead | typeof INCOMPLETE | typeof ODD {
  let isFromIap = false;
  const head = readHead(text, method, (name, value) => {
    switch (name) {
      case IAP:
        isFromIap = true;
        return undefined;
      case "content-length":
        return undefined;
      case "location":
        return `Location: ${answeredLocation(value, addresses)}\r\n`;
      case "set-cookie":
        return `Set-Cookie: ${answeredCookie(value, addresses)}\r\n`;
      default:
        return "";
    }
  });
  if (typeof head === "string") return head;
  const { status, kept, end, length, isChunked, isLast, isNominating } = head;
  return isNominating ? ODD : { status, kept, end, length, isChunked, isLast, isNominating, isFromIap };
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
