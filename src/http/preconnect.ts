import type { Agent } from "node:http";
import type { Socket } from "node:net";
import type { Route } from "./route.ts";

type Target = Pick<Route["target"], "host" | "port" | "servername">;
type Callback = (error: Error | null, socket?: Socket) => void;
type Open = (options: Target, callback: Callback) => Socket | undefined;

/**
 * Lets an agent open a connection before a request needs it; the returned function does so, and the next request to the same host and port uses it. Such a
 * connection doesn't keep the process alive. If it fails, the request opens its own, and reports the failure.
 */
export function enablePreconnect(agent: Agent): (target: Target) => void {
  const open = agent.createConnection.bind(agent) as Open;
  const { options: settings } = agent as Agent & { readonly options: object };
  const preconnected = new Map<string, Promise<Socket | undefined>>();
  const connect: Open = (options, callback) => {
    const key = `${options.host} ${options.port}`;
    const opening = preconnected.get(key);
    if (!opening) return open(options, callback);
    preconnected.delete(key);
    void opening.then((socket) => {
      if (!socket || socket.destroyed) return start(open, options, callback);
      callback(null, socket.ref());
    });
    return undefined;
  };
  agent.createConnection = connect as Agent["createConnection"];

  return ({ host, port, servername }) => {
    const opened = new Promise<Socket | undefined>((resolve) => {
      start(open, { ...settings, host, port, servername }, (_, socket) => resolve(socket?.unref().on("error", () => {})));
    });
    preconnected.set(`${host} ${port}`, opened);
  };
}

/** Some agents return the connection, others call back with it. */
function start(open: Open, options: Target, callback: Callback): void {
  const socket = open(options, callback);
  if (socket) callback(null, socket);
}
