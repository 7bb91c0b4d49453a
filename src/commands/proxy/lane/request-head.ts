import { createRequestHeadReader, type RequestHead } from "../../../http/wire/request-head.ts";
import { ODD, type INCOMPLETE } from "../../../http/wire/fields.ts";

/** A caller's request, with what is kept as the service gets it. */
export interface CallerRequestHead extends RequestHead {
  readonly hasAuthorization: boolean;
  /** What browsers say of the page that calls. */
  readonly browser: Browser;
}

type Browser = { readonly [name in "origin" | "sec-fetch-site" | "sec-fetch-mode"]?: string };

/** Fields that are dropped as `headers.ts` has them. */
const DROPPED = ["keep-alive", "proxy-connection", "te", "http2-settings", "proxy-authorization", "x-serverless-authorization"];
const readHead = createRequestHeadReader([...DROPPED, "authorization", "origin", "sec-fetch-site", "sec-fetch-mode"]);
const NO_BROWSER: Browser = Object.freeze({});

/** Reads the head that a text begins with, in latin1; it is odd where it is none of the common ones. */
export function readRequestHead(text: string): CallerRequestHead | typeof INCOMPLETE | typeof ODD {
  let hasAuthorization = false;
  let browser = NO_BROWSER;
  let isOdd = false;
  const head = readHead(text, (name, value) => {
    switch (name) {
      case "content-length":
        return undefined;
      case "authorization":
        if (hasAuthorization) isOdd = true;
        hasAuthorization = true;
        return undefined;
      case "origin":
      case "sec-fetch-site":
      case "sec-fetch-mode":
        if (browser[name] !== undefined) isOdd = true;
        browser = { ...browser, [name]: value };
        return name === "origin" ? "" : undefined;
      default:
        return "";
    }
  });
  if (typeof head === "string") return head;
  const { method, path, kept, end, host, length, isLast } = head;
  return isOdd ? ODD : { method, path, kept, end, host, length, isLast, hasAuthorization, browser };
}
