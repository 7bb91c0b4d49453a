import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createPool } from "../../../../src/emulator/run/instances/pool.ts";

test("an instance that died during a request leaves the pool", async () => {
  let die: () => void = () => undefined;
  let looks = 0;
  const pool = createPool({
    start: async () => ({
      pid: 1,
      port: 1,
      exited: new Promise((resolve) => (die = () => resolve({ code: null, signal: "SIGKILL" }))),
      stop: async () => undefined,
    }),
    protocol: "http1",
    requestTimeoutMs: 1000,
    concurrency: 80,
    readScaling: () => {
      looks += 1;
      return { minInstances: 0, maxInstances: 1 };
    },
    idleTimeoutMs: 5,
    minQueueTimeoutMs: 1000,
  });
  const lease = await pool.acquire(new AbortController().signal);
  die();
  await sleep(20);
  lease.release();
  const before = looks;
  await sleep(60);
  expect(looks).toBe(before);
  await pool.close();
});
