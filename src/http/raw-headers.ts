/** Header fields in the order in which they came, repeated names included: name, value, name, value … */
export type RawHeaders = readonly string[];

/** RFC 9110, section 7.6.1: these concern one connection, and no proxy forwards them. */
export const HOP_BY_HOP_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** The largest header section that is accepted. */
export const MAX_HEADER_BYTES = 64 * 1024;

/** The headers as HTTP/1.1 writes them, each with its line end. */
export function headerLines(rawHeaders: RawHeaders): string {
  let lines = "";
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) lines += `${rawHeaders[index]}: ${rawHeaders[index + 1]}\r\n`;
  return lines;
}
