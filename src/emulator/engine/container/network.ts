import type { ContainerProgram } from "./program.ts";

/** Where a revision's container expects PORT to be unless it says otherwise: https://cloud.google.com/run/docs/container-contract#port */
const CONTAINER_PORT = 8080;

// Unlike Cloud Run: on Linux, containers have this machine's network: what listens on 127.0.0.1 is there for them, and two of them cannot listen on one port.
/** The network of builds and instances. It is the machine's own where that is to be had, so that instances reach the emulator on 127.0.0.1. */
export function networkFlags({ sharesNetwork }: Pick<ContainerProgram, "sharesNetwork">): readonly string[] {
  return sharesNetwork ? ["--network", "host"] : [];
}

/** The network of an instance, and what its environment becomes in it. */
export function placeInstance(
  program: Pick<ContainerProgram, "name" | "sharesNetwork">,
  port: number,
  env: Readonly<Record<string, string>>,
): { readonly flags: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  // Unlike Cloud Run: HOST asks a service to listen on loopback only, so that no other machine gets past the front door.
  if (program.sharesNetwork) return { flags: networkFlags(program), env: { HOST: "127.0.0.1", ...env } };

  // Unlike Cloud Run: in a virtual machine's container a port may seem to be listened on before the service does so.
  // Both know this machine by such a name, and take its loopback for it.
  const host = program.name === "docker" ? "host.docker.internal" : "host.containers.internal";
  const entries = Object.entries(env).map(([name, value]) => [name, value.replace(/(?<![\d.])127\.0\.0\.1(?=:\d)/g, host)]);
  return {
    flags: ["--publish", `127.0.0.1:${port}:${CONTAINER_PORT}`],
    env: { ...Object.fromEntries(entries), PORT: String(CONTAINER_PORT) },
  };
}
