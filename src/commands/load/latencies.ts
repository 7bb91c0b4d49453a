/** The percentiles in a report. */
export const PERCENTILES = [50, 75, 90, 99, 99.9] as const;

/** A histogram of durations in milliseconds, each accurate to a thousandth. */
export interface Latencies {
  readonly count: number;
  /** 0 without durations. */
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  add(durationMs: number): void;
  percentile(percent: number): number;
  /** The nonempty buckets, in ascending order. */
  buckets(): readonly { readonly upToMs: number; readonly count: number }[];
}

/** The number of buckets per power of two is itself a power of two. */
const BUCKET_BITS = 10;
const BUCKETS_PER_POWER = 2 ** BUCKET_BITS;
const MAX_MICROSECONDS = 2 ** 31 - 1;

/** A histogram like http://hdrhistogram.org. Node's own doesn't show its buckets, which the report needs. */
export function createLatencies(): Latencies {
  const counts = new Uint32Array((32 - BUCKET_BITS) * BUCKETS_PER_POWER);
  let [count, sum, min, max] = [0, 0, Infinity, 0];

  return {
    get count() {
      return count;
    },
    get min() {
      return count === 0 ? 0 : min;
    },
    get max() {
      return max;
    },
    get mean() {
      return count === 0 ? 0 : sum / count;
    },
    add(durationMs) {
      const value = Math.min(Math.max(Math.round(durationMs * 1000), 1), MAX_MICROSECONDS);
      const shift = Math.max(0, 31 - Math.clz32(value) - BUCKET_BITS);
      const index = shift * BUCKETS_PER_POWER + (value >>> shift);
      counts[index] = (counts[index] as number) + 1;
      count += 1;
      sum += durationMs;
      if (durationMs < min) min = durationMs;
      if (durationMs > max) max = durationMs;
    },
    percentile(percent) {
      const rank = Math.max(1, Math.ceil((percent / 100) * count));
      let seen = 0;
      for (let index = 0; index < counts.length; index += 1) {
        seen += counts[index] as number;
        if (seen >= rank) return Math.min(upperBoundMs(index), max);
      }
      return max;
    },
    buckets() {
      const buckets: { upToMs: number; count: number }[] = [];
      counts.forEach((filled, index) => filled > 0 && buckets.push({ upToMs: upperBoundMs(index), count: filled }));
      return buckets;
    },
  };
}

/** The buckets of the first two powers hold one value each. */
function upperBoundMs(index: number): number {
  const shift = Math.max(0, Math.floor(index / BUCKETS_PER_POWER) - 1);
  return ((index - shift * BUCKETS_PER_POWER + 1) * 2 ** shift - 1) / 1000;
}
