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

/** The values of a header, whose name is in lower case. */
export function headerValues(rawHeaders: RawHeaders, name: string): string[] {
  return headerIndexes(rawHeaders, name).map((index) => rawHeaders[index] as string);
}

/** The positions of a header's values; its name is in lower case. */
export function headerIndexes(rawHeaders: RawHeaders, name: string): number[] {
  const indexes: number[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const spelled = rawHeaders[index] as string;
    if (spelled.length === name.length && spelled.toLowerCase() === name) indexes.push(index + 1);
  }
  return indexes;
}

export function withoutHeaders(rawHeaders: RawHeaders, names: RegExp): string[] {
  return rawHeaders.filter((_, index) => !names.test(rawHeaders[index - (index % 2)] ?? ""));
}

/** The headers as HTTP/1.1 writes them, each with its line end. */
export function headerLines(rawHeaders: RawHeaders): string {
  let lines = "";
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) lines += `${rawHeaders[index]}: ${rawHeaders[index + 1]}\r\n`;
  return lines;
}
