import { constants, type ClientHttp2Stream, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { http2RequestHeaders, http2ResponseHeaders } from "./headers.ts";
import { failurePage } from "./local-pages.ts";
import type { RequestContext } from "./request-context.ts";

const GRPC = /^application\/grpc(?:[+;]|$)/;
/** https://grpc.io/docs/guides/status-codes/ */
const GRPC_UNAVAILABLE = "14";

/** Forwards a stream of HTTP/2 to the service with the token, and streams the response and its trailers back. */
export async function forwardHttp2(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, context: RequestContext): Promise<void> {
  const { requestLog, tokens, connections, rejections } = context;
  const startedAt = requestLog.begin();
  const method = headers[":method"];
  const path = headers[":path"] ?? "/";
  const addresses = context.addressesFor(headers[":authority"] ?? headers.host ?? "");
  const tokenHeader = headers.authorization === undefined ? "Authorization" : context.secondTokenHeader;
  let sent: ClientHttp2Stream | undefined;
  let status = 0;

  stream.on("error", () => {});
  stream.on("close", () => {
    requestLog.end(method, path, status, startedAt);
    // The caller went away, or has the whole response.
    if (sent && !sent.closed) sent.close(constants.NGHTTP2_CANCEL);
  });
  const fail = (error: unknown): void => {
    if (stream.closed || stream.destroyed) return;
    if (stream.headersSent) return stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    const page = failurePage(error, context);
    rejections.report(page.error);
    status = page.status;
    if (GRPC.test(headers["content-type"] ?? "")) return stream.respond(grpcFailure(page.body), { endStream: true });
    stream.respond({ ":status": status, ...page.headers });
    stream.end(method === "HEAD" ? undefined : page.body);
  };

  try {
    const token = await tokens.get();
    const { session, release } = await connections.session();
    if (stream.closed || stream.destroyed) return release();
    const attempt = session.request(http2RequestHeaders(headers, addresses, { tokenHeader, value: `Bearer ${token}` }), {
      endStream: stream.endAfterHeaders,
    });
    sent = attempt;
    let trailers: OutgoingHttpHeaders = {};
    attempt.on("close", release);
    attempt.on("error", fail);
    attempt.on("response", (received, flags) => {
      status = received[":status"] ?? 0;
      if (status < 400) tokens.accepted(token);
      const isHeadOnly = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      const suspect = { status, headers: received, path, tokenHeader, token };
      const isSuspect = status >= 400 || received["x-goog-iap-generated-response"] !== undefined;
      const observer = isSuspect ? rejections.observe(suspect) : undefined;
      if (stream.closed || stream.destroyed) return;
      // gRPC's Trailers-Only is a response that is only its head, and must stay one.
      try {
        stream.respond(http2ResponseHeaders(received, addresses), isHeadOnly ? { endStream: true } : { waitForTrailers: true });
      } catch (error) {
        attempt.close(constants.NGHTTP2_CANCEL);
        return fail(error);
      }
      if (observer) attempt.on("data", (chunk: Buffer) => observer.see(chunk)).on("end", () => observer.end());
      if (isHeadOnly) return void attempt.resume();
      stream.on("wantTrailers", () => stream.sendTrailers(trailers));
      attempt.pipe(stream);
    });
    attempt.on("trailers", (received) => (trailers = http2ResponseHeaders(received, addresses)));
    attempt.on("close", () => {
      if (stream.closed || stream.destroyed) return;
      if (!stream.headersSent) fail(new Error("the stream was closed without a response"));
      else if (attempt.rstCode !== constants.NGHTTP2_NO_ERROR) stream.close(attempt.rstCode);
      else if (!stream.readableEnded) {
        // RFC 9113, section 8.1: after an early response the caller can stop sending, and is told so.
        stream.resume();
        const stopUpload = () => stream.close(constants.NGHTTP2_NO_ERROR);
        if (stream.writableFinished) stopUpload();
        else stream.once("finish", stopUpload);
      }
    });
    if (!stream.endAfterHeaders) stream.pipe(attempt);
  } catch (error) {
    fail(error);
  }
}

/** https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: a failure is a status in a response of 200, its message percent-encoded. */
function grpcFailure(text: string): OutgoingHttpHeaders {
  return {
    ":status": 200,
    "content-type": "application/grpc",
    "grpc-status": GRPC_UNAVAILABLE,
    "grpc-message": encodeURI(text.trim()).replaceAll("%20", " "),
  };
}
