import type { Ground } from "../ground.ts";

/** Bytes of a big body: 1 GiB. */
export const BIG = 1024 ** 3;

/** The service that all proxies stand before. */
export interface Origin {
  readonly port: number;
  readonly url: string;
}

export async function startOrigin({ processes, program, env }: Ground): Promise<Origin> {
  const { said } = await processes.start([process.execPath, program("origin.mjs")], {
    env: { ...env, BIG: String(BIG) },
    ready: /listening on \d+/,
  });
  const port = Number(/\d+/.exec(said)?.[0]);
  return { port, url: `http://127.0.0.1:${port}` };
}
