import { chmodSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { instanceNetwork } from "../../../src/emulator/engine/container/network.ts";
import { NoContainerEngine } from "../../../src/emulator/engine/container/container-program.ts";
import { openEngine, type EngineChoice } from "../../../src/emulator/engine/choose-engine.ts";
import { temporaryFolder, until, type Files } from "../../helpers/process-engine.ts";

const NO_DAEMON = "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2; exit 1";
const NO_CGROUPS = "echo 'Error: crun: controller memory is not available: OCI runtime error' >&2; exit 126";
/** A working podman that is asked to run a program that doesn't exist. */
const WORKS = "exit 127";
const DAEMON = `echo '{"Platform":{"Name":"Docker Engine - Community"},"Components":[{"Name":"Engine"}]}'`;

/** An engine on a host that has these programs, each a shell script. */
async function open(choice: EngineChoice, programs: Files) {
  const PATH = temporaryFolder(Object.fromEntries(Object.entries(programs).map(([name, script]) => [name, `#!/bin/sh\n${script}\n`])));
  for (const name of Object.keys(programs)) chmodSync(join(PATH, name), 0o755);
  symlinkSync("/bin/sh", join(PATH, "sh"));
  const log: string[] = [];
  const directory = temporaryFolder();
  const engine = await openEngine({ choice, directory, shared: [], env: { PATH }, log: (line) => log.push(line) });
  const looked = async () => {
    engine.status();
    await until(() => engine.status().name !== null);
    await engine.close();
    return engine.status();
  };
  return { engine, looked, log };
}

test("auto chooses docker if its daemon responds", async () => {
  const { engine, looked, log } = await open("auto", { docker: DAEMON, podman: WORKS });
  expect(engine.status()).toEqual({ name: null, program: null, passed_over: [] });
  expect(await looked()).toEqual({ name: "container", program: "docker", passed_over: [] });
  expect([engine.name, log]).toEqual(["container", ["Services run in containers (docker)"]]);
});

test("auto skips docker without a daemon and chooses a podman that starts containers", async () => {
  const { looked, log } = await open("auto", { docker: NO_DAEMON, podman: WORKS });
  const reason = "docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
  expect(await looked()).toEqual({ name: "container", program: "podman", passed_over: [reason] });
  expect(log).toEqual([`Services run in containers (podman); unavailable: ${reason}`]);
});

test("auto chooses processes if no container engine works, and gives the reason for each", async () => {
  const { engine, looked, log } = await open("auto", { podman: NO_CGROUPS });
  const passed_over = ["docker: not installed", "podman: crun: controller memory is not available: OCI runtime error"];
  expect(await looked()).toEqual({ name: "process", program: null, passed_over });
  expect([engine.name, log]).toEqual(["process", [`Services run as local processes; unavailable: ${passed_over.join("; ")}`]]);
});

test("podman installed under the name docker isn't treated as docker", async () => {
  const { looked } = await open("auto", { docker: "echo null", podman: WORKS });
  expect(await looked()).toEqual({ name: "container", program: "podman", passed_over: ["docker: the daemon isn't Docker's"] });
});

test("process doesn't look for a container engine", async () => {
  const { engine, log } = await open("process", { docker: DAEMON });
  expect([engine.status(), log]).toEqual([{ name: "process", program: null, passed_over: [] }, []]);
  expect([engine.runnerOf("process"), engine.runnerOf("container")]).toEqual([expect.anything(), undefined]);
});

test("container fails if no container engine works, and runs nothing as a process", async () => {
  const refused = open("container", { docker: NO_DAEMON });
  await expect(refused).rejects.toThrow(NoContainerEngine);
  await expect(refused).rejects.toThrow(
    "No container engine is available (docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?; podman: not installed).",
  );
  const { engine } = await open("container", { docker: DAEMON });
  expect([engine.runnerOf("process"), engine.runnerOf("container")]).toEqual([undefined, expect.anything()]);
});

test("with auto, an image runs on the engine that built it", async () => {
  const { engine } = await open("auto", {});
  expect([engine.runnerOf("process"), engine.runnerOf("container")]).toEqual([
    expect.objectContaining({ name: "process" }),
    expect.objectContaining({ name: "container" }),
  ]);
});

test("in a virtual machine, a container has its own port and reaches the host by name", () => {
  const env = { PORT: "4711", HTTPS_PROXY: "http://127.0.0.1:8686", NO_PROXY: "localhost,127.0.0.1,::1", OTHER: "10.127.0.0.1:80" };
  expect(instanceNetwork({ name: "docker", sharesNetwork: false }, 4711, env)).toEqual({
    flags: ["--publish", "127.0.0.1:4711:8080"],
    env: { PORT: "8080", HTTPS_PROXY: "http://host.docker.internal:8686", NO_PROXY: "localhost,127.0.0.1,::1", OTHER: "10.127.0.0.1:80" },
  });
  expect(instanceNetwork({ name: "podman", sharesNetwork: true }, 4711, env)).toEqual({
    flags: ["--network", "host"],
    env: { HOST: "127.0.0.1", ...env },
  });
});
