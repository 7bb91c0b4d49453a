import { MalformedResponse } from "./malformed-response.ts";

/** The head of a response whose end is unambiguous. */
export interface ResponseHead {
  readonly status: number;
  /** The status line and the headers. */
  readonly text: string;
  /** The index at which the body begins. */
  readonly end: number;
  /** Bytes of the body; undefined if it is in chunks, or ends with the connection. */
  readonly length: number | undefined;
  readonly isChunked: boolean;
  /** True if the sender accepts no more requests on this connection. */
  readonly isLast: boolean;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?\r\n/;
/** RFC 9110, sections 5.6.2 and 5.5: names are tokens, values have no control character except the tab. */
const FIELD_LINE = /[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e\x80-\xff]*\r\n/;
const HEAD = new RegExp(`${STATUS_LINE.source}(?:${FIELD_LINE.source})*\r\n`);
const FRAMING_FIELD = /^(connection|transfer-encoding|content-length):[\t ]*(.*?)[\t ]*$/gim;
const BARE_CR_OR_LF = /\r[^\n]|(?<!\r)\n/;

/**
 * Reads the head at the start of a text in latin1; undefined if it isn't complete. Throws MalformedResponse for what RFC 9112 doesn't allow, or what
 * readers are known to read differently.
 */
export function readResponseHead(text: string, method: string): ResponseHead | undefined {
  const [whole, minorVersion, statusDigits] = HEAD.exec(text) ?? [];
  if (whole === undefined) {
    const isStatusLineWrong = text.includes("\n") && !STATUS_LINE.test(text);
    if (isStatusLineWrong || text.includes("\r\n\r\n") || BARE_CR_OR_LF.test(text)) throw new MalformedResponse();
    return undefined;
  }
  const status = Number(statusDigits);
  const isHttp10 = minorVersion === "0";
  let length: number | undefined;
  let isChunked = false;
  let isClosing = false;
  let isPersistent = !isHttp10;
  for (const [, name = "", value = ""] of whole.matchAll(FRAMING_FIELD)) {
    if (/^connection$/i.test(name)) {
      const options = value.toLowerCase().split(/[\t ]*,[\t ]*/);
      if (options.includes("close")) isClosing = true;
      if (options.includes("keep-alive")) isPersistent = true;
    } else if (/^transfer-encoding$/i.test(name)) {
      if (isChunked || isHttp10 || value.toLowerCase() !== "chunked") throw new MalformedResponse();
      isChunked = true;
    } else {
      if (length !== undefined || !/^\d{1,15}$/.test(value)) throw new MalformedResponse();
      length = Number(value);
    }
  }
  // RFC 9112, section 6.3: a response with both can be an attack.
  if (isChunked && length !== undefined) throw new MalformedResponse();
  if (method === "HEAD" || status === 204 || status === 304 || status < 200) {
    length = 0;
    isChunked = false;
  }
  const isLast = isClosing || !isPersistent || (!isChunked && length === undefined);
  return { status, text: whole.slice(0, -2), end: whole.length, length, isChunked, isLast };
}
