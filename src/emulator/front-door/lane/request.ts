import { MOST_HEAD } from "../../../http/wire/connection.ts";
import { INCOMPLETE, ODD } from "../../../http/wire/fields.ts";
import { createRequestHeadReader } from "../../../http/wire/request-head.ts";
import { isServiceHost, splitHost } from "../../server/hosts.ts";

/** A request to a service as most are, and all of it. */
export interface LaneRequest {
  readonly method: string;
  readonly path: string;
  /** In lower case, without the port. */
  readonly host: string;
  /** Name, value, name, value … */
  readonly rawHeaders: string[];
  /** Those that the front door looks at, by their names in lower case, as node:http joins them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where the body begins. */
  readonly end: number;
  /** Bytes of the body; undefined where nothing is said of it. */
  readonly length: number | undefined;
  readonly isLast: boolean;
}

const LOOKED_AT = new Set(["content-length", "referer", "te", "traceparent", "user-agent", "x-cloud-trace-context", "x-forwarded-for"]);
/** https://nodejs.org/api/http.html#messageheaders: of these the first one counts. */
const ONCE = new Set(["referer", "user-agent"]);
/** Names and values; of more, Node does not take all. */
const MOST_FIELDS = 2000;

const readHead = createRequestHeadReader("all");

/** Reads the request that bytes begin with; it is odd where it is none of the common ones, or is to another host than a service's. */
export function readLaneRequest(bytes: Buffer): LaneRequest | typeof INCOMPLETE | typeof ODD {
  const rawHeaders: string[] = [];
  const headers: Record<string, string> = {};
  const head = readHead(bytes.toString("latin1", 0, MOST_HEAD), (name, value, spelled) => {
    rawHeaders.push(spelled, value);
    if (!LOOKED_AT.has(name)) return undefined;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (!ONCE.has(name)) headers[name] = `${before}, ${value}`;
    return undefined;
  });
  if (typeof head === "string") return head;
  const { method, path, end, length, isLast } = head;
  const { host } = splitHost(head.host);
  if (!isServiceHost(host) || rawHeaders.length > MOST_FIELDS) return ODD;
  const whole = end + (length ?? 0);
  // A body that is not there yet goes on as it comes, which is for the other way.
  if (whole > bytes.length) return whole > MOST_HEAD ? ODD : INCOMPLETE;
  return { method, path, host, rawHeaders, headers, end, length, isLast };
}
