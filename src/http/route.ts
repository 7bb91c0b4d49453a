import { BlockList, isIP, isIPv4 } from "node:net";
import type { RequestOptions } from "node:https";
import { CliError } from "../errors/cli-error.ts";
import { nextStep } from "../errors/next-step.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** How a request reaches its host. */
export interface Route {
  /** True if this end of the connection speaks TLS. */
  readonly isSecure: boolean;
  /** The host to connect to, and the request's target. */
  readonly target: Pick<RequestOptions, "host" | "port" | "path" | "servername">;
  /** The proxy that opens a tunnel to the host. */
  readonly tunnel?: URL;
  /** The proxy's own credential, if the proxy reads the request itself. */
  readonly authorization?: string | undefined;
  /** The proxy's host, for messages. */
  readonly proxy?: string;
  /** True if the emulator replaces Google. */
  readonly isEmulator: boolean;
  /** The end of the line that `--verbose` prints. */
  readonly note: string;
}

/** The domains of the emulator: requests meant for it never go to Google. */
const EMULATED_DOMAINS = ["googleapis.com", "accounts.google.com", "run.app", "gcr.io", "pkg.dev", "metadata.google.internal"];

/** A proxy would call its own machine's metadata server. */
const NEVER_PROXIED_HOSTS = new Set(["metadata.google.internal", "169.254.169.254"]);

/** Finds routes by the environment. Throws SETTINGS_INVALID for a variable that isn't an address. */
export function createRouter(env: Environment): (url: URL) => Route {
  const emulator = env.CLOUDRUN_OAUTH_EMULATOR ? readEmulator(env.CLOUDRUN_OAUTH_EMULATOR) : undefined;
  const proxies = { "http:": readProxy(env, "http_proxy"), "https:": readProxy(env, "https_proxy") };
  const bypassesProxy = readNoProxy(env.no_proxy || env.NO_PROXY || "");

  return (url) => {
    const isSecure = url.protocol === "https:";
    const host = bareHost(url.hostname);
    const path = `${url.pathname}${url.search}`;
    if (emulator && isEmulated(host)) {
      return {
        isSecure: false,
        target: { host: bareHost(emulator.hostname), port: emulator.port, path },
        isEmulator: true,
        note: `, through the emulator ${emulator.host}`,
      };
    }
    const port = portOf(url);
    const proxy = proxies[isSecure ? "https:" : "http:"];
    const target = { host, port, path, servername: serverName(host) };
    if (!proxy || isLoopback(host) || NEVER_PROXIED_HOSTS.has(host) || bypassesProxy(host, String(port)))
      return { isSecure, target, isEmulator: false, note: "" };
    const proxied = { proxy: proxy.host, isEmulator: false, note: `, through the proxy ${proxy.host}` };
    if (isSecure) return { isSecure, target, tunnel: proxy, ...proxied };
    // RFC 9112, section 3.2.2: a proxy gets the whole URL.
    const proxyTarget = {
      host: bareHost(proxy.hostname),
      port: portOf(proxy),
      path: `${url.origin}${path}`,
      servername: serverName(bareHost(proxy.hostname)),
    };
    return { isSecure: proxy.protocol === "https:", target: proxyTarget, authorization: basicAuthorization(proxy), ...proxied };
  };
}

/** True for an address on this computer. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "::1" || (host.startsWith("127.") && isIPv4(host));
}

/** The host without the brackets of an IPv6 address and without a trailing dot. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}

export function portOf(url: URL): number {
  return Number(url.port || (url.protocol === "https:" ? 443 : 80));
}

/** RFC 7617; undefined if the URL has no user. */
export function basicAuthorization(proxy: URL): string | undefined {
  if (!proxy.username) return undefined;
  return `Basic ${Buffer.from(`${unescape(proxy.username)}:${unescape(proxy.password)}`).toString("base64")}`;
}

/** RFC 6066, section 3: an IP address is not a server name. Node would use the Host header instead of undefined. */
export function serverName(host: string): string {
  return isAddress(host) ? "" : host;
}

/** Node's regular expression for IPv6 takes milliseconds to compile; no host name has a colon. */
function isAddress(host: string): boolean {
  return isIPv4(host) || (host.includes(":") && isIP(host) === 6);
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isEmulated(host: string): boolean {
  return EMULATED_DOMAINS.some((domain) => host === domain || host.endsWith(`.${domain}`));
}

function readEmulator(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  // Tokens travel to it unencrypted.
  if (url?.protocol === "http:" && isLoopback(bareHost(url.hostname))) return url;
  throw new CliError("SETTINGS_INVALID", "CLOUDRUN_OAUTH_EMULATOR isn't the address of a local emulator.", {
    hint: "Use the form http://127.0.0.1:PORT.",
    next: [nextStep("To print the emulator's environment variables", "emulator", "env")],
  });
}

function readProxy(env: Environment, name: string): URL | undefined {
  const variable = env[name] ? name : name.toUpperCase();
  const value = env[variable];
  if (!value) return undefined;
  const text = value.includes("://") ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new CliError("SETTINGS_INVALID", `${variable} isn't the URL of an HTTP proxy.`, {
    hint: `Use http://HOST:PORT; SOCKS proxies aren't supported. To connect directly, unset ${variable}.`,
  });
}

/** NO_PROXY as curl, Go and Python read it: `*`, hosts with all that is under them, `host:port`, addresses, networks as `10.0.0.0/8`. */
function readNoProxy(list: string): (host: string, port: string) => boolean {
  const entries = list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
  if (entries.length === 0) return () => false;
  const networks = new BlockList();
  for (const entry of entries) {
    const [, address, bits] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? [];
    const family = isIP(address ?? "") === 4 ? "ipv4" : isIP(address ?? "") === 6 ? "ipv6" : undefined;
    if (address && family && Number(bits) <= (family === "ipv4" ? 32 : 128)) networks.addSubnet(address, Number(bits), family);
  }
  return (host, port) => {
    const family = isIP(host);
    if (family && networks.check(host, family === 4 ? "ipv4" : "ipv6")) return true;
    return entries.some((entry) => {
      if (entry === "*") return true;
      const [, name = entry, only] = /^([^:]+|\[.*\]):(\d+)$/.exec(entry) ?? [];
      const domain = bareHost(name.replace(/^\*?\./, ""));
      return (only === undefined || only === port) && domain !== "" && (host === domain || host.endsWith(`.${domain}`));
    });
  };
}
