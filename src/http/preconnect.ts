import type { Agent } from "node:http";
import type { Socket } from "node:net";
import type { Way } from "./route.ts";

type Target = Pick<Way["to"], "host" | "port" | "servername">;
type Callback = (error: Error | null, socket?: Socket) => void;
type Open = (options: Target, callback: Callback) => Socket | undefined;

/**
 * Lets an agent open a connection before there is a request for it. Gives back what does so; the next request to the same host and port takes
 * it. It keeps no process alive, and one that fails is no error: the request opens its own, and tells.
 */
export function openEarly(agent: Agent): (to: Target) => void {
  const open = agent.createConnection.bind(agent) as Open;
  const { options: settings } = agent as Agent & { readonly options: object };
  const early = new Map<string, Promise<Socket | undefined>>();
  const connect: Open = (options, callback) => {
    const key = `${options.host} ${options.port}`;
    const promised = early.get(key);
    if (!promised) return open(options, callback);
    early.delete(key);
    void promised.then((socket) => {
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
    early.set(`${host} ${port}`, opened);
  };
}

/** Some ways to open a connection give it back, others call back when they have it. */
function start(open: Open, options: Target, callback: Callback): void {
  const socket = open(options, callback);
  if (socket) callback(null, socket);
}
