import { connect as connectPlainly, type Socket } from "node:net";
import { connect as connectSecurely, type ConnectionOptions } from "node:tls";
import type { Route } from "../../http/route.ts";
import { createTunnelAgent } from "../../http/tunnel.ts";

/** Opens a connection; what is written before it stands waits for it. A piece that is received is good until the next one. */
export type Dial = (received: (piece: Buffer) => void, opened: (error: Error | null, socket: Socket) => void) => void;

/** HTTP/1.1 alone is spoken here. */
const ALPN = ["http/1.1"];

/** Bytes. What is received goes into the same buffer again and again: a new one of 64 KiB for each piece is what a garbage collector lives on. */
const BUFFER = 16 * 1024;

/** Connections to a service: straight, to the emulator, or through the proxy that the environment names. */
export function createDial({ isSecure, target, tunnel }: Route, signal: AbortSignal): Dial {
  const { servername = "" } = target;
  const [host, port] = [String(target.host), Number(target.port)];
  if (tunnel) {
    const agent = createTunnelAgent(tunnel, signal, {});
    const options = { host, port, servername, ALPNProtocols: ALPN };
    return (received, opened) =>
      void agent.createConnection(options, (error, socket) => {
        if (!error) socket.on("data", received);
        opened(error, socket as Socket);
      });
  }
  let session: Buffer | undefined;
  return (received, opened) => {
    const onread = {
      buffer: Buffer.alloc(BUFFER),
      callback(length: number, buffer: Uint8Array) {
        received((buffer as Buffer).subarray(0, length));
        return true;
      },
    };
    if (!isSecure) return opened(null, connectPlainly({ host, port, noDelay: true, onread }));
    const options = { host, port, servername, ALPNProtocols: ALPN, onread, ...(session && { session }) };
    // https://nodejs.org/api/tls.html#tlsconnectoptions-callback knows onread; the types do not.
    const socket = connectSecurely(options as ConnectionOptions);
    // The next one's handshake is a shorter one.
    socket.once("session", (offered) => (session = offered));
    socket.setNoDelay(true);
    opened(null, socket);
  };
}
