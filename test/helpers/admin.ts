import { send, type Answer } from "./api-server.ts";

/** A request to the emulator's own address, as its command line sends it. */
export function sendAdmin(port: number, method: string, path: string, body?: object): Promise<Answer> {
  return send(port, method, "127.0.0.1", path, { token: "", headers: { "x-cloudrun-oauth": "emulator" }, ...(body && { body }) });
}
