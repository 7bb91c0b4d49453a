import { connect as connectPlainly, type Socket } from "node:net";
import { connect as connectSecurely, type ConnectionOptions } from "node:tls";
import type { Route } from "../../http/route.ts";
import { createTunnelAgent } from "../../http/tunnel.ts";

/** Opens a connection, to which data can be written at once. A received piece is valid until the next one. */
export type Connect = (onData: (piece: Buffer) => void, onOpen: (error: Error | null, socket: Socket) => void) => void;

const ALPN_PROTOCOLS = ["http/1.1"];

/** The size of a connection's one buffer: a new one of 64 KiB for each piece would keep the garbage collector busy. */
const BUFFER_BYTES = 16 * 1024;

/** Connects to a service: direct, to the emulator, or through the environment's proxy. */
export function createConnect({ isSecure, target, tunnel }: Route, signal: AbortSignal): Connect {
  const { servername = "" } = target;
  const [host, port] = [String(target.host), Number(target.port)];
  if (tunnel) {
    const agent = createTunnelAgent(tunnel, signal, {});
    const options = { host, port, servername, ALPNProtocols: ALPN_PROTOCOLS };
    return (onData, onOpen) =>
      void agent.createConnection(options, (error, socket) => {
        if (!error) socket.on("data", onData);
        onOpen(error, socket as Socket);
      });
  }
  let session: Buffer | undefined;
  return (onData, onOpen) => {
    const onread = {
      buffer: Buffer.alloc(BUFFER_BYTES),
      callback(length: number, buffer: Uint8Array) {
        onData((buffer as Buffer).subarray(0, length));
        return true;
      },
    };
    if (!isSecure) return onOpen(null, connectPlainly({ host, port, noDelay: true, onread }));
    const options = { host, port, servername, ALPNProtocols: ALPN_PROTOCOLS, onread, ...(session && { session }) };
    // https://nodejs.org/api/tls.html#tlsconnectoptions-callback documents onread; the types lack it.
    const socket = connectSecurely(options as ConnectionOptions);
    // The next connection resumes the session, with a shorter handshake.
    socket.once("session", (received) => (session = received));
    socket.setNoDelay(true);
    onOpen(null, socket);
  };
}
