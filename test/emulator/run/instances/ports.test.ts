import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { releasePort, reservePort } from "../../../../src/emulator/run/instances/ports.ts";

test("a port is reserved only once at a time", async () => {
  const ports: number[] = [];
  onTestFinished(() => ports.forEach(releasePort));
  for (let round = 0; round < 100; round += 1) ports.push(...(await Promise.all(Array.from({ length: 20 }, reservePort))));
  expect(new Set(ports).size).toBe(2000);
});

test("a port in use isn't reserved, and a released one can be reserved again", async () => {
  const first = await reservePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(first, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  releasePort(first);
  const ports: number[] = [];
  onTestFinished(() => ports.forEach(releasePort));
  for (let count = 0; count < 3000; count += 1) ports.push(await reservePort());
  expect(ports).not.toContain(first);
});
