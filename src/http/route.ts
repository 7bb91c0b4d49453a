import { BlockList, isIP, isIPv4 } from "node:net";
import type { RequestOptions } from "node:https";
import { CliError } from "../errors/cli-error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** How a request travels. */
export interface Way {
  /** True where this end of the connection speaks TLS. */
  readonly secure: boolean;
  readonly to: Pick<RequestOptions, "host" | "port" | "path" | "servername">;
  /** The proxy that is asked for a tunnel to the host. */
  readonly tunnel?: URL;
  /** The proxy's own credential, where the proxy reads the request itself. */
  readonly authorization?: string | undefined;
  /** The host that is connected to, where it is not the URL's: for sentences. */
  readonly proxy?: string;
  /** True where the emulator stands in for Google. */
  readonly emulator: boolean;
  /** Ends the line under `--verbose`. */
  readonly note: string;
}

/** The domains that the emulator answers for: what is meant for it never goes to Google. */
const EMULATED = ["googleapis.com", "accounts.google.com", "run.app", "gcr.io", "pkg.dev", "metadata.google.internal"];

/** The metadata server is the machine's own: a proxy would ask another machine's. */
const NEVER_PROXIED = new Set(["metadata.google.internal", "169.254.169.254"]);

/** Decides by the environment. Throws SETTINGS_INVALID where a variable names no address. */
export function createRoute(env: Environment): (url: URL) => Way {
  const emulator = env.CLOUDRUN_OAUTH_EMULATOR ? readEmulator(env.CLOUDRUN_OAUTH_EMULATOR) : undefined;
  const proxies = { "http:": readProxy(env, "http_proxy"), "https:": readProxy(env, "https_proxy") };
  const isExcepted = createExceptions(env.no_proxy || env.NO_PROXY || "");

  return (url) => {
    const secure = url.protocol === "https:";
    const host = bare(url.hostname);
    const path = `${url.pathname}${url.search}`;
    if (emulator && isEmulated(host)) {
      return {
        secure: false,
        to: { host: bare(emulator.hostname), port: emulator.port, path },
        emulator: true,
        note: `, at the emulator ${emulator.host}`,
      };
    }
    const port = portOf(url);
    const proxy = proxies[secure ? "https:" : "http:"];
    const straight = { host, port, path, servername: serverName(host) };
    if (!proxy || isLoopback(host) || NEVER_PROXIED.has(host) || isExcepted(host, String(port)))
      return { secure, to: straight, emulator: false, note: "" };
    const by = { proxy: proxy.host, emulator: false, note: `, by the proxy ${proxy.host}` };
    if (secure) return { secure, to: straight, tunnel: proxy, ...by };
    // RFC 9112, section 3.2.2: a proxy is given the whole URL.
    const to = {
      host: bare(proxy.hostname),
      port: portOf(proxy),
      path: `${url.origin}${path}`,
      servername: serverName(bare(proxy.hostname)),
    };
    return { secure: proxy.protocol === "https:", to, authorization: basicAuthorization(proxy), ...by };
  };
}

/** True for an address that never leaves this machine. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "::1" || (host.startsWith("127.") && isIPv4(host));
}

/** The host without the brackets that a URL puts around an IPv6 address. */
export function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}

export function portOf(url: URL): number {
  return Number(url.port || (url.protocol === "https:" ? 443 : 80));
}

/** RFC 7617; undefined where the URL names no user. */
export function basicAuthorization(proxy: URL): string | undefined {
  if (!proxy.username) return undefined;
  return `Basic ${Buffer.from(`${unescape(proxy.username)}:${unescape(proxy.password)}`).toString("base64")}`;
}

/** RFC 6066, section 3: an IP address is no server name. Left out, Node would take the Host header for it. */
export function serverName(host: string): string {
  return isAddress(host) ? "" : host;
}

/** Node's expression for the sixth version takes milliseconds to compile; no name has a colon. */
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
  return EMULATED.some((domain) => host === domain || host.endsWith(`.${domain}`));
}

function readEmulator(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  // Tokens travel to it unencrypted.
  if (url?.protocol === "http:" && isLoopback(bare(url.hostname))) return url;
  throw new CliError("SETTINGS_INVALID", "CLOUDRUN_OAUTH_EMULATOR is not the address of an emulator on this machine.", {
    hint: 'It looks like http://127.0.0.1:PORT, and eval "$(cloudrun-oauth emulator env)" sets it.',
  });
}

function readProxy(env: Environment, name: string): URL | undefined {
  const variable = env[name] ? name : name.toUpperCase();
  const value = env[variable];
  if (!value) return undefined;
  const text = value.includes("://") ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new CliError("SETTINGS_INVALID", `${variable} is not the address of an HTTP proxy.`, {
    hint: `It looks like http://HOST:PORT; a SOCKS proxy is none. Take ${variable} out of the environment to go without.`,
  });
}

/** NO_PROXY as curl, Go and Python read it: `*`, hosts with all that is under them, `host:port`, addresses, networks as `10.0.0.0/8`. */
function createExceptions(list: string): (host: string, port: string) => boolean {
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
      const domain = bare(name.replace(/^\*?\./, ""));
      return (only === undefined || only === port) && domain !== "" && (host === domain || host.endsWith(`.${domain}`));
    });
  };
}
