import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent, type AgentOptions, request as httpsRequest } from "node:https";
import { connect, type ConnectionOptions } from "node:tls";
import type { Duplex } from "node:stream";
import { CONNECT_TIMEOUT_MS, TimedOut, TunnelRefused } from "./network-error.ts";
import { bareHost, basicAuthorization, portOf, serverName, type Route } from "./route.ts";

/** The agent for a route. `signal` ends connection attempts to a proxy. */
export function createAgent({ tunnel, isSecure }: Route, signal: AbortSignal | undefined, settings: AgentOptions): HttpAgent {
  if (tunnel) return createTunnelAgent(tunnel, signal, settings);
  return isSecure ? new Agent(settings) : new HttpAgent(settings);
}

/** An agent whose connections lead through a proxy by CONNECT (RFC 9110, section 9.3.6), with TLS to the host inside. */
export function createTunnelAgent(proxy: URL, signal: AbortSignal | undefined, settings: AgentOptions): Agent {
  const agent = new Agent(settings);
  agent.createConnection = (options, callback = () => {}) => {
    const target = `${options.host?.includes(":") ? `[${options.host}]` : options.host}:${options.port}`;
    const authorization = basicAuthorization(proxy);
    const request = (proxy.protocol === "https:" ? httpsRequest : httpRequest)({
      host: bareHost(proxy.hostname),
      port: portOf(proxy),
      method: "CONNECT",
      path: target,
      agent: false,
      signal,
      timeout: CONNECT_TIMEOUT_MS,
      servername: serverName(bareHost(proxy.hostname)),
      headers: { host: target, ...(authorization ? { "proxy-authorization": authorization } : {}) },
    });
    const fail = (error: Error) => callback(error, undefined as unknown as Duplex);
    request.once("connect", ({ statusCode = 0 }, socket) => {
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy();
        return fail(new TunnelRefused(statusCode));
      }
      socket.setTimeout(0);
      callback(null, connect({ ...(options as ConnectionOptions), socket }));
    });
    request.once("timeout", () => request.destroy(new TimedOut(CONNECT_TIMEOUT_MS)));
    request.on("error", fail);
    request.end();
    return undefined;
  };
  return agent;
}
