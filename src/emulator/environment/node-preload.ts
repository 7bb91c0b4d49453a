import { existsSync } from "node:fs";
import { join } from "node:path";
import { EMULATED_DOMAINS } from "../server/hosts.ts";
import type { EmulatorStatus } from "./emulator-status.ts";
import { writeFileAtomically } from "../state/atomic-write.ts";

const preloadFile = (directory: string): string => join(directory, "node-client.cjs");

/**
 * Writes the file that Node programs load first, so that all their connections to emulated hosts reach the emulator: Node 20's fetch and
 * clients with their own agents ignore proxy variables.
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

/** The environment variables for a program that runs inside an emulator: all of its Node connections go there. `own` is the environment to extend. */
export function nodeProgramEnvironment(
  { data_dir, environment }: Pick<EmulatorStatus, "data_dir" | "environment">,
  own: Readonly<Record<string, string | undefined>>,
): EmulatorStatus["environment"] {
  const { NODE_OPTIONS, NODE_USE_ENV_PROXY = null } = own;
  const file = preloadFile(data_dir);
  // An emulator of another version doesn't have the file.
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

// Unlike Cloud Run: requests over plain HTTP from Node programs inside `emulator exec` to a service are answered, not redirected to HTTPS.
type Connect = (...args: readonly unknown[]) => unknown;

/** Written to a file as source text, so it can't use anything outside its body. */
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
      const options = args.find((each) => typeof each === "object" && each !== null) ?? {};
      // Either a port and a host, or options only.
      const to = { ...(typeof first !== "object" && { host: second }), ...options } as Record<string, unknown>;
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
