import type { IncomingMessage } from "node:http";
import type { CallerResponse } from "../front-door/response.ts";
import type { Trace } from "../front-door/trace.ts";
import type { ServiceRoute } from "../run/resolve-host.ts";
import { revisionResource, runLog } from "./instance-log.ts";
import type { LogStore } from "./log-store.ts";
import { fromMilliseconds } from "./timestamp.ts";

interface LoggedRequest {
  readonly request: IncomingMessage;
  readonly response: CallerResponse;
  readonly host: string;
  readonly trace: Trace;
  readonly route: ServiceRoute;
}

/** Logs a call to a service when it is over; the returned function takes the explanation of a response by Cloud Run itself. */
export type RequestLog = (call: LoggedRequest) => (text: string) => void;

/** https://cloud.google.com/run/docs/logging#log-types */
export function createRequestLog({ logs, now }: { readonly logs: LogStore; readonly now: () => number }): RequestLog {
  return ({ request, response, host, trace, route: { place, service, revisionName = "" } }) => {
    const { method: requestMethod = "", url = "/", headers, httpVersion, httpVersionMajor, socket } = request;
    const { projectId } = place.project;
    const timestamp = fromMilliseconds(now());
    const begun = performance.now();
    const readBefore = socket.bytesRead;
    const writtenBefore = socket.bytesWritten;
    let explanation: string | undefined;

    response.once("close", () => {
      const status = response.statusCode;
      // A connection of HTTP/2 carries other requests at the same time.
      const [read, written] =
        httpVersionMajor === 1 ? [socket.bytesRead - readBefore, socket.bytesWritten - writtenBefore] : [0, undefined];
      const requestSize = headerBytes(request) + (Number(headers["content-length"]) || read);
      const httpRequest = {
        requestMethod,
        requestUrl: `https://${host}${url}`,
        requestSize: String(requestSize),
        status,
        ...(written !== undefined && { responseSize: String(written) }),
        ...(headers["user-agent"] !== undefined && { userAgent: headers["user-agent"] }),
        remoteIp: socket.remoteAddress ?? "127.0.0.1",
        ...(headers.referer !== undefined && { referer: headers.referer }),
        serverIp: "127.0.0.1",
        latency: `${((performance.now() - begun) / 1000).toFixed(9)}s`,
        protocol: `HTTP/${httpVersion}`,
      };
      logs.append([
        {
          logName: runLog(projectId, "requests"),
          resource: revisionResource(projectId, place.region, service.metadata.name, revisionName),
          timestamp,
          severity: status >= 500 ? "ERROR" : status >= 400 ? "WARNING" : "INFO",
          httpRequest,
          trace: `projects/${projectId}/traces/${trace.traceId}`,
          spanId: trace.spanId,
          ...(trace.sampled && { traceSampled: true }),
          ...(explanation !== undefined && { textPayload: explanation }),
        },
      ]);
    });
    return (text) => {
      explanation = text;
    };
  };
}

function headerBytes({ method = "", url = "", rawHeaders }: IncomingMessage): number {
  // ": " follows each name; a line ending follows each value and the first line.
  return rawHeaders.reduce((sum, text) => sum + text.length + 2, `${method} ${url} HTTP/1.1\r\n\r\n`.length);
}
