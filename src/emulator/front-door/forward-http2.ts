import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import type { Answer } from "./response.ts";
import type { Asked, Onward } from "./forward-http1.ts";

/** One connection to each instance, by its port: it lasts as long as the instance lets it. */
const sessions = new Map<number, ClientHttp2Session>();

/** Asks the instance at a loopback port in HTTP/2 without TLS: https://cloud.google.com/run/docs/configuring/http2 */
export function askHttp2(port: number, { method, path, headers, hasBody }: Onward): Asked {
  const stream = openSession(port).request(
    { ...fieldsOf(headers), ":method": method, ":path": path, ":scheme": "http" },
    { endStream: !hasBody },
  );
  let trailers: Record<string, string | string[]> = {};
  const answer = new Promise<Answer>((resolve, reject) => {
    stream.on("response", (received: IncomingHttpHeaders, flags: number) => {
      resolve({
        status: Number(received[":status"]),
        rawHeaders: Object.entries(withoutPseudo(received)).flatMap(([name, value]) => [value].flat().flatMap((each) => [name, each])),
        body: stream,
        isHeadOnly: (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0,
        trailers: () => trailers,
      });
    });
    stream.on("trailers", (received: IncomingHttpHeaders) => (trailers = withoutPseudo(received)));
    stream.on("error", reject);
    stream.on("close", () => reject(new Error("The instance gave no answer")));
  });
  return { body: stream, answer, cancel: () => stream.close(constants.NGHTTP2_CANCEL) };
}

function openSession(port: number): ClientHttp2Session {
  const known = sessions.get(port);
  if (known && !known.closed && !known.destroyed) return known;
  const session = connect(`http://127.0.0.1:${port}`);
  sessions.set(port, session);
  // Each stream hears of it by itself.
  session.on("error", () => undefined);
  session.on("close", () => {
    if (sessions.get(port) === session) sessions.delete(port);
  });
  return session;
}

/** RFC 9113, section 8.3.1: the Host header is `:authority`. */
function fieldsOf(headers: readonly string[]): OutgoingHttpHeaders {
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
