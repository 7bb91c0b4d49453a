import type { Amount } from "./options.ts";

/** What a run will come to, about. */
export interface Estimate {
  readonly requests: number;
  /** Seconds; undefined where it is not known how long an answer takes. */
  readonly instanceSeconds: { readonly least: number; readonly most: number } | undefined;
}

/** https://cloud.google.com/run/docs/about-concurrency: what an instance takes at once where nothing is said. */
const USUAL_CONCURRENCY = 80;

/** `latency` is what one answer took, in milliseconds; undefined where none was asked for. */
export function estimate({ requests, duration, concurrency, rate, maxTime }: Amount, latency: number | undefined): Estimate {
  const seconds = duration / 1000;
  const fastest = rate ?? (latency === undefined ? undefined : (concurrency * 1000) / Math.max(latency, 1));
  // Without a rate and without an answer's time, an answer a millisecond on each connection is the most that there can be.
  const most = Number.isFinite(seconds) ? Math.ceil((fastest ?? concurrency * 1000) * seconds) : Infinity;
  const count = Math.min(requests, most);
  if (latency === undefined) return { requests: count, instanceSeconds: undefined };
  const busy = (count * Math.min(latency, maxTime)) / 1000;
  return { requests: count, instanceSeconds: { least: Math.ceil(busy / USUAL_CONCURRENCY), most: Math.ceil(busy) } };
}

/** The question before money is spent. */
export function askForIt({ requests, instanceSeconds }: Estimate, host: string): string {
  const number = (value: number): string => value.toLocaleString("en-US");
  const time =
    instanceSeconds &&
    ` and ${number(instanceSeconds.least)} to ${number(instanceSeconds.most)} seconds of instances, by how many requests each takes at once`;
  return `Send ${host} up to about ${number(requests)} requests? Google bills them${time ?? ""}.`;
}
