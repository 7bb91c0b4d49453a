import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import type { RawHeaders } from "../server/raw-headers.ts";
import type { InstanceRequest, PendingResponse } from "./forward-http1.ts";
import type { InstanceResponse } from "./response.ts";

/** One connection to each instance, by its port, until the instance closes it. */
const sessions = new Map<number, ClientHttp2Session>();

/** Sends a request in HTTP/2 without TLS to the instance at a loopback port: https://cloud.google.com/run/docs/configuring/http2 */
export function forwardHttp2(port: number, { method, path, headers, hasBody }: InstanceRequest): PendingResponse {
  const stream = openSession(port).request(
    { ...fieldsOf(headers), ":method": method, ":path": path, ":scheme": "http" },
    { endStream: !hasBody },
  );
  let trailers: Record<string, string | string[]> = {};
  const response = new Promise<InstanceResponse>((resolve, reject) => {
    stream.on("response", (received: IncomingHttpHeaders, flags: number) => {
      resolve({
        status: Number(received[":status"]),
        rawHeaders: Object.entries(withoutPseudo(received)).flatMap(([name, value]) => [value].flat().flatMap((single) => [name, single])),
        body: stream,
        isHeadOnly: (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0,
        trailers: () => trailers,
      });
    });
    stream.on("trailers", (received: IncomingHttpHeaders) => (trailers = withoutPseudo(received)));
    stream.on("error", reject);
    stream.on("close", () => reject(new Error("The instance sent no response")));
  });
  return { requestBody: stream, response, cancel: () => stream.close(constants.NGHTTP2_CANCEL) };
}

function openSession(port: number): ClientHttp2Session {
  const existing = sessions.get(port);
  if (existing && !existing.closed && !existing.destroyed) return existing;
  const session = connect(`http://127.0.0.1:${port}`);
  sessions.set(port, session);
  // Each stream emits the error too.
  session.on("error", () => undefined);
  session.on("close", () => {
    if (sessions.get(port) === session) sessions.delete(port);
  });
  return session;
}

/** RFC 9113, section 8.3.1: the Host header is `:authority`. */
function fieldsOf(headers: RawHeaders): OutgoingHttpHeaders {
  const fields: Record<string, string | string[]> = {};
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = (headers[index] as string).toLowerCase();
    const value = headers[index + 1] as string;
    if (name === "host") fields[":authority"] = value;
    else fields[name] = fields[name] === undefined ? value : [fields[name], value].flat();
  }
  return fields;
}

function withoutPseudo(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string | string[]] => !entry[0].startsWith(":") && entry[1] !== undefined),
  );
}
