import { readHeaderFields } from "./header-fields.ts";
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

const STATUS_LINE = /HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?\r\n/y;
const MAX_STATUS_LINE_LENGTH = 1024;
const FRAMING_HEADERS = new Set(["connection", "transfer-encoding", "content-length"]);

/** Reads the head at the start of a text in latin1; undefined if it isn't complete. Throws MalformedResponse. */
export function readResponseHead(text: string, method: string): ResponseHead | undefined {
  STATUS_LINE.lastIndex = 0;
  const line = STATUS_LINE.exec(text);
  if (!line) {
    if (text.length < MAX_STATUS_LINE_LENGTH && !text.includes("\n")) return undefined;
    throw new MalformedResponse();
  }
  const status = Number(line[2]);
  const isHttp10 = line[1] === "0";
  let length: number | undefined;
  let isChunked = false;
  let isClosing = false;
  let isPersistent = !isHttp10;
  const end = readHeaderFields(text, STATUS_LINE.lastIndex, FRAMING_HEADERS, (name, value) => {
    if (name === "connection") {
      const options = value.toLowerCase().split(",");
      if (options.some((option) => option.trim() === "close")) isClosing = true;
      if (options.some((option) => option.trim() === "keep-alive")) isPersistent = true;
    } else if (name === "transfer-encoding") {
      if (isChunked || isHttp10 || value.toLowerCase() !== "chunked") throw new MalformedResponse();
      isChunked = true;
    } else {
      if (length !== undefined || !/^\d{1,15}$/.test(value)) throw new MalformedResponse();
      length = Number(value);
    }
  });
  if (end === undefined) return undefined;
  // RFC 9112, section 6.3: a response with both can be an attack.
  if (isChunked && length !== undefined) throw new MalformedResponse();
  if (method === "HEAD" || status === 204 || status === 304 || status < 200) {
    length = 0;
    isChunked = false;
  }
  const isLast = isClosing || !isPersistent || (!isChunked && length === undefined);
  return { status, text: text.slice(0, end - 2), end, length, isChunked, isLast };
}
