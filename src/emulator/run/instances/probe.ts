import { get } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import type { Container } from "../knative.ts";
import { pause, poll } from "../../poll.ts";

/** A startup or liveness probe in Knative's form: https://cloud.google.com/run/docs/configuring/healthchecks */
export type Probe = NonNullable<Container["startupProbe"]>;

// Unlike Cloud Run: probes use the instance's only port, whatever port they name, and it is enough to listen on 127.0.0.1.
async function probeOnce({ timeoutSeconds = 1, httpGet, grpc }: Probe, port: number): Promise<boolean> {
  const timeoutMs = timeoutSeconds * 1000;
  if (httpGet) return probeHttp(port, httpGet, timeoutMs);
  if (grpc) return probeGrpc(port, grpc.service ?? "", timeoutMs);
  return probeTcp(port, timeoutMs);
}

// Unlike Cloud Run: a startup probe is tried every few milliseconds until its time is over, not once per period.
/** Tries a startup probe until it succeeds; false if its time is over or the signal aborts. */
export async function waitForStart(probe: Probe, port: number, signal: AbortSignal): Promise<boolean> {
  const { initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3 } = probe;
  await pause(initialDelaySeconds * 1000, { signal });
  const timeoutMs = periodSeconds * failureThreshold * 1000;
  return poll(() => probeOnce(probe, port), { timeoutMs, firstPauseMs: 10, maxPauseMs: 250, signal });
}

/** Tries a liveness probe once per period. Resolves with true when it failed too often in a row, with false when the signal aborts. */
export async function waitForFailure(probe: Probe, port: number, signal: AbortSignal): Promise<boolean> {
  const { initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3 } = probe;
  await pause(initialDelaySeconds * 1000, { signal });
  for (let failures = 0; !signal.aborted; await pause(periodSeconds * 1000, { signal })) {
    failures = (await probeOnce(probe, port)) ? 0 : failures + 1;
    if (failures >= failureThreshold && !signal.aborted) return true;
  }
  return false;
}

export function probeType({ httpGet, grpc }: Probe): "HTTP" | "GRPC" | "TCP" {
  return httpGet ? "HTTP" : grpc ? "GRPC" : "TCP";
}

function probeTcp(port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", timeout: timeoutMs });
    socket.on("connect", () => resolve(true));
    for (const event of ["connect", "timeout"]) socket.on(event, () => socket.destroy());
    socket.on("error", () => resolve(false));
    socket.on("close", () => resolve(false));
  });
}

function probeHttp(port: number, { path = "/", httpHeaders = [] }: NonNullable<Probe["httpGet"]>, timeoutMs: number): Promise<boolean> {
  const headers = Object.fromEntries(httpHeaders.map(({ name, value = "" }) => [name, value]));
  return new Promise((resolve) => {
    const request = get(
      { port, host: "127.0.0.1", path, headers, agent: false, signal: AbortSignal.timeout(timeoutMs) },
      ({ statusCode = 0 }) => {
        request.destroy();
        resolve(statusCode >= 200 && statusCode < 400);
      },
    );
    request.on("error", () => resolve(false));
    request.on("close", () => resolve(false));
  });
}

/** Uses gRPC's health checking protocol. Its messages have one field each: the service's name, and the status, of which 1 is SERVING. */
function probeGrpc(port: number, service: string, timeoutMs: number): Promise<boolean> {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const prefix = Buffer.from([0, 0, 0, 0, message.length]);
  return new Promise((resolve) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const timer = setTimeout(() => session.destroy(), timeoutMs);
    session.on("error", () => undefined);
    session.on("close", () => {
      clearTimeout(timer);
      resolve(false);
    });
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => session.destroy());
    stream.end(Buffer.concat([prefix, message]));
    stream.toArray().then(
      (chunks) => {
        resolve(
          Buffer.concat(chunks)
            .subarray(5)
            .equals(Buffer.from([0x08, 1])),
        );
        session.destroy();
      },
      () => session.destroy(),
    );
  });
}
