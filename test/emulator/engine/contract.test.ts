import { getuid } from "node:process";
import { afterAll } from "vitest";
import { createContainerEngine } from "../../../src/emulator/engine/container/container-engine.ts";
import { createProcessEngine } from "../../../src/emulator/engine/process/process-engine.ts";
import { createReaper } from "../../../src/emulator/engine/reaper.ts";
import { openContainerMachine } from "../../helpers/container-machine.ts";
import { newFolder } from "../../helpers/template-service.ts";
import { holdContract } from "./contract.ts";

let machine: ReturnType<typeof openContainerMachine> | undefined;

/** Created for the first template that needs it, and shared by all. */
function containerMachine(podman: string): ReturnType<typeof openContainerMachine> {
  return (machine ??= openContainerMachine(podman, ["node", "python"], (end) => ends.push(end)));
}

const ends: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const end of ends) await end();
});

for (const template of ["hono", "express", "flask", "fastapi"] as const) {
  const isNode = template === "hono" || template === "express";
  const needs = isNode ? ([] as const) : (["python"] as const);
  holdContract(
    {
      template,
      needs,
      uid: getuid?.() ?? 0,
      limitsMemory: false,
      async open([python]) {
        const engine = createProcessEngine({ ...(python && { python }), env: process.env, reaper: createReaper() });
        return { engine, directory: await newFolder() };
      },
    },
    "process",
  );
  holdContract(
    {
      template,
      needs: ["podman", ...needs],
      uid: isNode ? 1000 : 65_534,
      limitsMemory: true,
      async open([podman = ""]) {
        const { env } = await containerMachine(podman);
        const directory = await newFolder();
        return { engine: createContainerEngine({ directory, shared: [], env, reaper: createReaper() }), directory };
      },
    },
    "container",
  );
}
