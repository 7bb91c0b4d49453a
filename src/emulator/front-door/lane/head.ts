import { STATUS_CODES } from "node:http";

/** How an answer says where its body ends; one without a body has none in chunks. */
export type Framing = "by length" | "in chunks";

/** As Node's server has it. */
export const REST = 5000;
const KEPT = `Connection: keep-alive\r\nKeep-Alive: timeout=${REST / 1000}\r\n`;
const CLOSED = "Connection: close\r\n";

interface Head {
  readonly status: number;
  /** Name, value, name, value … */
  readonly headers: readonly string[];
  readonly framing: Framing;
  readonly isKept: boolean;
}

/** An answer's head as node:http writes it. */
export function writeHead({ status, headers, framing, isKept }: Head): string {
  let lines = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    // RFC 9110, section 6.5.1: nothing follows a body that is not in chunks.
    if (framing !== "in chunks" && name.toLowerCase() === "trailer") continue;
    lines += `${name}: ${headers[index + 1]}\r\n`;
  }
  return `${lines}${isKept ? KEPT : CLOSED}${framing === "in chunks" ? "Transfer-Encoding: chunked\r\n" : ""}\r\n`;
}

/** A piece of a body in chunks; none where it is empty. */
export function writeChunk(data: Buffer): Buffer {
  if (data.length === 0) return data;
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`, "latin1"), data, LINE_END]);
}

/** What follows the last chunk, with fields as they came: their names in lower case, those of the same name together, as node:http passes them on. */
export function writeEnd(trailers: string): Buffer {
  if (trailers === "") return END;
  const lines = new Map<string, string>();
  for (const line of trailers.split("\r\n").slice(0, -1)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    lines.set(name, `${lines.get(name) ?? ""}${name}: ${line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, "")}\r\n`);
  }
  return Buffer.from(`0\r\n${[...lines.values()].join("")}\r\n`, "latin1");
}

const LINE_END = Buffer.from("\r\n");
const END = Buffer.from("0\r\n\r\n");
