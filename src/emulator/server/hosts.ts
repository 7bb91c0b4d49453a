/** The domains whose hosts are emulated; the certificate authority is limited to them. */
export const EMULATED_DOMAINS: readonly string[] = [
  "googleapis.com",
  "accounts.google.com",
  "run.app",
  "gcr.io",
  "pkg.dev",
  "metadata.google.internal",
];

/** Whether requests to a host are answered here and never reach the network. */
export function isEmulated(host: string): boolean {
  return EMULATED_DOMAINS.some((domain) => host === domain || host.endsWith(`.${domain}`));
}

export function isServiceHost(host: string): boolean {
  return host.endsWith(".run.app");
}

/** The host of a Host header or a CONNECT target, in lower case, and its port if any. */
export function splitHost(authority: string): { host: string; port: number | undefined } {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority.toLowerCase());
  return { host: (match?.[1] ?? "").replace(/\.$/, ""), port: match?.[2] === undefined ? undefined : Number(match[2]) };
}
