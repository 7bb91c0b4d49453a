import type { ContainerProgram } from "./container-program.ts";

/** The port that a container listens on by default: https://cloud.google.com/run/docs/container-contract#port */
const CONTAINER_PORT = 8080;

// Unlike Cloud Run: on Linux, containers share the host's network: they reach what listens on 127.0.0.1, and two of them can't listen on one port.
/** The network of builds and instances: the host's if available, so that instances reach the emulator on 127.0.0.1. */
export function networkFlags({ sharesNetwork }: Pick<ContainerProgram, "sharesNetwork">): readonly string[] {
  return sharesNetwork ? ["--network", "host"] : [];
}

/** An instance's network flags, and its environment adapted to that network. */
export function instanceNetwork(
  program: Pick<ContainerProgram, "name" | "sharesNetwork">,
  port: number,
  env: Readonly<Record<string, string>>,
): { readonly flags: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  // Unlike Cloud Run: HOST asks a service to listen on loopback only, so that no other machine gets past the front door.
  if (program.sharesNetwork) return { flags: networkFlags(program), env: { HOST: "127.0.0.1", ...env } };

  // Unlike Cloud Run: in a virtual machine's container, a port can accept connections before the service listens on it.
  // Both engines resolve such a name to the host, including its loopback services.
  const host = program.name === "docker" ? "host.docker.internal" : "host.containers.internal";
  const entries = Object.entries(env).map(([name, value]) => [name, value.replace(/(?<![\d.])127\.0\.0\.1(?=:\d)/g, host)]);
  return {
    flags: ["--publish", `127.0.0.1:${port}:${CONTAINER_PORT}`],
    env: { ...Object.fromEntries(entries), PORT: String(CONTAINER_PORT) },
  };
}
