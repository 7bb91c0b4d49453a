import { existsSync } from "node:fs";
import { join } from "node:path";
import { EMULATED_DOMAINS } from "../server/hosts.ts";
import type { EmulatorStatus } from "./emulator-status.ts";
import { writeFileAtomically } from "../state/atomic-write.ts";

const preloadFile = (directory: string): string => join(directory, "node-client.cjs");

/**
 * Writes what a Node program loads first, so that its connections to the emulated hosts come to the emulator, whichever client opens them: the fetch of Node
 * 20 and clients that have an agent of their own go by no proxy of the environment.
 */
export function writeNodePreload(directory: string): void {
  writeFileAtomically(
    preloadFile(directory),
    `"use strict";\n(${redirectConnections.toString()})(${JSON.stringify(EMULATED_DOMAINS)}, process);\n`,
    {
      mode: 0o644,
      isReproducible: true,
    },
  );
}

/** The variables that lead a program to an emulator which ends after it, in the environment `own`: all of its Node's connections go there too. */
export function nodeProgramEnvironment(
  { data_dir, environment }: Pick<EmulatorStatus, "data_dir" | "environment">,
  own: Readonly<Record<string, string | undefined>>,
): EmulatorStatus["environment"] {
  const { NODE_OPTIONS, NODE_USE_ENV_PROXY = null } = own;
  const file = preloadFile(data_dir);
  // An emulator of another version has none.
  if (!existsSync(file)) return environment;
  return {
    ...environment,
    NODE_USE_ENV_PROXY,
    NODE_OPTIONS: NODE_OPTIONS?.includes(file) ? NODE_OPTIONS : appendOption(NODE_OPTIONS, file),
  };
}

function appendOption(own: string | undefined, file: string): string {
  // https://nodejs.org/api/cli.html#node_optionsoptions
  const option = `--require="${file.replace(/["\\]/g, "\\$&")}"`;
  return own ? `${own} ${option}` : option;
}

// Unlike Cloud Run: what a Node program inside `emulator exec` sends to a service by plain HTTP is answered, and not redirected to HTTPS.
type Connect = (...args: readonly unknown[]) => unknown;

/** Stands in a file of its own, by its text: all that it needs is in it. */
function redirectConnections(domains: readonly string[], { env, getBuiltinModule }: NodeJS.Process): void {
  const [tls, net, http] = ["tls", "net", "http"].map((name) => getBuiltinModule(`node:${name}`)) as [
    { connect: Connect },
    { connect: Connect; createConnection: Connect },
    { Agent: { prototype: { createConnection: Connect } } },
  ];
  const { HTTPS_PROXY } = env;
  if (!HTTPS_PROXY) return;
  const { hostname, port } = new URL(HTTPS_PROXY);
  const isEmulated = (host: unknown): boolean =>
    typeof host === "string" && domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
  const led =
    (connect: Connect): Connect =>
    (...args) => {
      const [first, second] = args;
      const given = args.find((each) => typeof each === "object" && each !== null) ?? {};
      // A port and a host, or options alone.
      const to = { ...(typeof first !== "object" && { host: second }), ...given } as Record<string, unknown>;
      if (to["socket"] || to["path"] || !isEmulated(to["host"])) return connect(...args);
      const callback = args.filter((each) => typeof each === "function");
      return connect({ ...to, servername: to["servername"] || to["host"], host: hostname, port: Number(port) }, ...callback);
    };
  tls.connect = led(tls.connect);
  net.connect = led(net.connect);
  net.createConnection = net.connect;
  http.Agent.prototype.createConnection = net.connect;
  getBuiltinModule("node:module").syncBuiltinESMExports();
}
