/** What is held against the goal: ours divided by the peer's, ours less the peer's, or ours alone. */
type Figure = "ratio" | "difference" | "own";

export interface Goal {
  /** Names the row on the command line. */
  readonly name: string;
  readonly what: string;
  readonly figure: Figure;
  readonly limit: number;
  /** True where less is better, and the limit is the most. */
  readonly less: boolean;
  /** Of the figure; "" for a ratio. */
  readonly unit: string;
}

const atMost = (limit: number, name: string, what: string, figure: Figure = "ratio", unit = ""): Goal => ({
  name,
  what,
  figure,
  limit,
  less: true,
  unit,
});
const atLeast = (limit: number, name: string, what: string): Goal => ({ name, what, figure: "ratio", limit, less: false, unit: "" });

/** Every row, in the order in which it is measured and shown. */
export const GOALS: readonly Goal[] = [
  atMost(1.25, "version", "--version / node -e 0"),
  atMost(1.25, "invoke-node", "invoke, no cached token / a bare Node.js script with the same two requests"),
  atMost(1.25, "invoke-node-tls", "the same, but over TLS and through an HTTPS proxy"),
  atMost(0.4, "invoke-python", "invoke, no cached token / requests and PyJWT"),
  atMost(0.12, "invoke-gcloud", "invoke, no cached token / curl and gcloud auth print-identity-token"),
  atMost(1.25, "invoke-cached", "invoke, cached token / a bare Node.js script with the same request"),
  atMost(0.15, "describe", "describe --via api / gcloud run services describe"),
  atMost(1.1, "deploy", "deploy --via gcloud / gcloud run deploy"),
  atLeast(0.3, "proxy-nginx", "proxy, requests/s, small JSON, 32 connections / nginx"),
  atLeast(2, "proxy-go", "proxy, requests/s / Google's cloud-run-proxy"),
  atMost(2, "proxy-latency", "proxy, added p99 latency at 1,000 requests/s", "difference", "ms"),
  atLeast(0.8, "proxy-download", "proxy, 1 GiB responses / nginx"),
  atLeast(0.8, "proxy-upload", "proxy, 1 GiB requests / nginx"),
  atMost(64, "proxy-memory", "proxy, memory growth after 1 GiB in each direction", "own", "MiB"),
  atLeast(0.4, "front-door", "emulator's front door, requests/s / proxy"),
  atLeast(0.5, "load", "load, requests/s, 32 connections / wrk with a fixed token"),
  atMost(5, "emulator-ready", "emulator ready / node -e 0"),
  atMost(5, "quickstart", "quickstart --template hono, warm npm cache, no gcloud", "own", "s"),
  atMost(2.5, "package-size", "package size, unpacked", "own", "MB"),
  atMost(1, "package-count", "installed packages", "own"),
];
