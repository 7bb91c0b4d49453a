import { createFieldReader } from "./fields.ts";

/** A request as most are: RFC 9112 leaves no doubt about where it ends, and it wants nothing that concerns the connection but its end. */
export interface RequestHead {
  readonly method: string;
  /** Begins with a slash. */
  readonly path: string;
  /** The request line, and the fields that go on to the service. */
  readonly kept: string;
  /** Where the body begins. */
  readonly end: number;
  readonly host: string;
  /** Bytes of the body; undefined where nothing is said of it. */
  readonly length: number | undefined;
  readonly hasAuthorization: boolean;
  /** The caller takes no further answer. */
  readonly isLast: boolean;
  /** What browsers say of the page that calls. */
  readonly browser: Browser;
}

type Browser = { readonly [name in "origin" | "sec-fetch-site" | "sec-fetch-mode"]?: string };

/** Fields that are dropped as `headers.ts` has them. */
const DROPPED = ["keep-alive", "proxy-connection", "te", "http2-settings", "proxy-authorization", "x-serverless-authorization"];
const BROWSER = ["origin", "sec-fetch-site", "sec-fetch-mode"] as const;
/** Fields that change how a request is read, or whom it is for. */
const READ = ["host", "connection", "content-length", "authorization"];
/** Fields that are for a reader of all of HTTP. */
const UNCOMMON = ["transfer-encoding", "expect", "upgrade"];

const readFields = createFieldReader([...DROPPED, ...BROWSER, ...READ, ...UNCOMMON]);
const LINE = /(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\/[\x21\x22\x24-\x7e]*) HTTP\/1\.1\r\n/y;
const NO_BROWSER: Browser = Object.freeze({});

/** Reads the head that a text begins with, in latin1; undefined where it is not all there, or is none of the common ones. */
export function readRequestHead(text: string): RequestHead | undefined {
  LINE.lastIndex = 0;
  const line = LINE.exec(text);
  if (!line) return undefined;
  let host: string | undefined;
  let length: number | undefined;
  let hasAuthorization = false;
  let isLast = false;
  let browser = NO_BROWSER;
  let isCommon = true;
  const fields = readFields(text, LINE.lastIndex, (name, value) => {
    switch (name) {
      case "host":
        if (host !== undefined) isCommon = false;
        host = value;
        return "";
      case "connection":
        if (value === "close" || value === "Close") isLast = true;
        else if (value.toLowerCase() !== "keep-alive") isCommon = false;
        return "";
      case "content-length":
        if (length !== undefined || !/^\d{1,15}$/.test(value)) isCommon = false;
        length = Number(value);
        return undefined;
      case "authorization":
        if (hasAuthorization) isCommon = false;
        hasAuthorization = true;
        return undefined;
      case "origin":
      case "sec-fetch-site":
      case "sec-fetch-mode":
        if (browser[name] !== undefined) isCommon = false;
        browser = { ...browser, [name]: value };
        return name === "origin" ? "" : undefined;
      case "transfer-encoding":
      case "expect":
      case "upgrade":
        isCommon = false;
        return undefined;
      default:
        return "";
    }
  });
  if (typeof fields === "string" || !isCommon || host === undefined) return undefined;
  return { method: line[1] as string, path: line[2] as string, ...fields, host, length, hasAuthorization, isLast, browser };
}
