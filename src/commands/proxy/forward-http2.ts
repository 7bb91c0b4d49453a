import { constants, type ClientHttp2Stream, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { failurePage, type Door } from "./local-responses.ts";
import { answeredFields, sentFields } from "./headers.ts";

const GRPC = /^application\/grpc(?:[+;]|$)/;
/** https://grpc.io/docs/guides/status-codes/ */
const GRPC_UNAVAILABLE = "14";

/** Passes a stream of HTTP/2 on to the service with the token, and the answer and its trailers back as they come. */
export async function passOnHttp2(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, door: Door): Promise<void> {
  const { journal, tokens, upstream, refusals } = door;
  const begun = journal.begin();
  const method = headers[":method"];
  const path = headers[":path"] ?? "/";
  const addresses = door.addressesFor(headers[":authority"] ?? headers.host ?? "");
  const carrier = headers.authorization === undefined ? "Authorization" : door.secondCarrier;
  let asked: ClientHttp2Stream | undefined;
  let status = 0;

  stream.on("error", () => {});
  stream.on("close", () => {
    journal.end(method, path, status, begun);
    // A caller that went away has no more use for the answer.
    if (asked && !asked.closed) asked.close(constants.NGHTTP2_CANCEL);
  });
  const fail = (error: unknown): void => {
    if (stream.closed || stream.destroyed) return;
    if (stream.headersSent) return stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    const page = failurePage(error, door);
    refusals.tell(page.error);
    status = page.status;
    if (GRPC.test(headers["content-type"] ?? "")) return stream.respond(grpcFailure(page.body), { endStream: true });
    stream.respond({ ":status": status, ...page.headers });
    stream.end(method === "HEAD" ? undefined : page.body);
  };

  try {
    const token = await tokens.get();
    const { session, release } = await upstream.session();
    if (stream.closed || stream.destroyed) return release();
    const sent = session.request(sentFields(headers, addresses, { carrier, value: `Bearer ${token}` }), {
      endStream: stream.endAfterHeaders,
    });
    asked = sent;
    let trailers: OutgoingHttpHeaders = {};
    sent.on("close", release);
    sent.on("error", fail);
    sent.on("response", (answered, flags) => {
      status = answered[":status"] ?? 0;
      if (status < 400) tokens.accepted(token);
      const isHeadOnly = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      const suspect = { status, headers: answered, path, carrier, token };
      const isSuspect = status >= 400 || answered["x-goog-iap-generated-response"] !== undefined;
      const witness = isSuspect ? refusals.watch(suspect) : undefined;
      if (stream.closed || stream.destroyed) return;
      // gRPC's Trailers-Only is an answer that is its head and nothing else, and has to stay one.
      try {
        stream.respond(answeredFields(answered, addresses), isHeadOnly ? { endStream: true } : { waitForTrailers: true });
      } catch (error) {
        sent.close(constants.NGHTTP2_CANCEL);
        return fail(error);
      }
      if (witness) sent.on("data", (chunk: Buffer) => witness.see(chunk)).on("end", () => witness.end());
      if (isHeadOnly) return void sent.resume();
      stream.on("wantTrailers", () => stream.sendTrailers(trailers));
      sent.pipe(stream);
    });
    sent.on("trailers", (received) => (trailers = answeredFields(received, addresses)));
    sent.on("close", () => {
      if (stream.closed || stream.destroyed) return;
      if (!stream.headersSent) fail(new Error("it gave no answer"));
      else if (sent.rstCode !== constants.NGHTTP2_NO_ERROR) stream.close(sent.rstCode);
      else if (!stream.readableEnded) {
        // RFC 9113, section 8.1: who was answered before all was sent may stop sending, and is told so.
        stream.resume();
        const tell = () => stream.close(constants.NGHTTP2_NO_ERROR);
        if (stream.writableFinished) tell();
        else stream.once("finish", tell);
      }
    });
    if (!stream.endAfterHeaders) stream.pipe(sent);
  } catch (error) {
    fail(error);
  }
}

/** https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: a failure is a status in an answer of 200, its message percent-encoded. */
function grpcFailure(text: string): OutgoingHttpHeaders {
  return {
    ":status": 200,
    "content-type": "application/grpc",
    "grpc-status": GRPC_UNAVAILABLE,
    "grpc-message": encodeURI(text.trim()).replaceAll("%20", " "),
  };
}
