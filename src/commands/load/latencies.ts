/** The percentiles in a report. */
export const PERCENTILES = [50, 75, 90, 99, 99.9] as const;

/** The number of buckets per power of two is itself a power of two. */
const BUCKET_BITS = 10;
const BUCKETS_PER_POWER = 2 ** BUCKET_BITS;
const MAX_MICROSECONDS = 2 ** 31 - 1;

/**
 * A histogram of durations in milliseconds, each accurate to a thousandth, like http://hdrhistogram.org. Node's own doesn't show its buckets, which the
 * report needs.
 */
export class Latencies {
  readonly #counts = new Uint32Array((32 - BUCKET_BITS) * BUCKETS_PER_POWER);
  #sum = 0;
  #min = Infinity;
  count = 0;
  max = 0;

  /** 0 without durations. */
  get min(): number {
    return this.count === 0 ? 0 : this.#min;
  }

  get mean(): number {
    return this.count === 0 ? 0 : this.#sum / this.count;
  }

  add(durationMs: number): void {
    const value = Math.min(Math.max(Math.round(durationMs * 1000), 1), MAX_MICROSECONDS);
    const shift = Math.max(0, 31 - Math.clz32(value) - BUCKET_BITS);
    const index = shift * BUCKETS_PER_POWER + (value >>> shift);
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.count += 1;
    this.#sum += durationMs;
    this.#min = Math.min(this.#min, durationMs);
    this.max = Math.max(this.max, durationMs);
  }

  percentile(percent: number): number {
    const rank = Math.max(1, Math.ceil((percent / 100) * this.count));
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= rank) return Math.min(upperBoundMs(index), this.max);
    }
    return this.max;
  }

  /** The nonempty buckets, in ascending order. */
  buckets(): readonly { readonly upToMs: number; readonly count: number }[] {
    const buckets: { upToMs: number; count: number }[] = [];
    this.#counts.forEach((count, index) => count > 0 && buckets.push({ upToMs: upperBoundMs(index), count }));
    return buckets;
  }
}

/** The buckets of the first two powers hold one value each. */
function upperBoundMs(index: number): number {
  const shift = Math.max(0, Math.floor(index / BUCKETS_PER_POWER) - 1);
  return ((index - shift * BUCKETS_PER_POWER + 1) * 2 ** shift - 1) / 1000;
}
