import type { IncomingMessage, ServerResponse } from "node:http";
import { keepReading } from "../server/http-response.ts";
import { pageHeaders, writeHead } from "./response.ts";
import { passOn } from "./forward.ts";
import type { Passage } from "./passage.ts";

/** A call that came by node:http, or by node:http2 and its compatibility API; `now` gives milliseconds since the epoch. */
export function passageByNode(request: IncomingMessage, response: ServerResponse, now: () => number): Passage {
  return {
    request,
    onOver: (done) => void response.once("close", () => done(response.statusCode)),
    refuse(page, trace) {
      keepReading(request, response);
      writeHead(response, page.status, pageHeaders(page, trace, now()));
      response.end(request.method === "HEAD" ? undefined : page.body);
    },
    passOn: (options) => passOn(request, response, options, now),
  };
}
