import { request } from "node:http";
import type { EngineStatus } from "../engine/choose-engine.ts";

const STATUS_TIMEOUT_MS = 5000;

export interface EmulatorStatus {
  readonly pid: number;
  readonly url: string;
  readonly project: string;
  readonly region: string;
  readonly data_dir: string;
  readonly environment: Readonly<Record<string, string | null>>;
  readonly engine: EngineStatus;
  readonly services: readonly { readonly name: string; readonly region: string; readonly url: string; readonly ready: boolean }[];
}

/** Requests the status of an emulator at an address; undefined if none answers. */
export function fetchEmulatorStatus(url: string): Promise<EmulatorStatus | undefined> {
  return new Promise((resolve) => {
    const get = request(new URL("/_emulator/status", url), { timeout: STATUS_TIMEOUT_MS, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve(response.statusCode === 200 ? parseStatus(text) : undefined));
      response.on("error", () => resolve(undefined));
    });
    get.on("timeout", () => get.destroy());
    get.on("error", () => resolve(undefined));
    get.end();
  });
}

function parseStatus(text: string): EmulatorStatus | undefined {
  try {
    return JSON.parse(text) as EmulatorStatus;
  } catch {
    return undefined;
  }
}
