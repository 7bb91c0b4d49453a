/** Percentiles that a report names. */
export const PERCENTILES = [50, 75, 90, 99, 99.9] as const;

/** Many durations, in little memory, each within a thousandth of what it was. */
export interface Latencies {
  readonly count: number;
  /** Milliseconds; 0 where there are none. */
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Takes milliseconds. */
  add(duration: number): void;
  /** Milliseconds that so many of a hundred were not above. */
  percentile(percent: number): number;
  /** How many there were, by the upper bound of their bucket in milliseconds, in ascending order; empty buckets are left out. */
  buckets(): readonly { readonly upTo: number; readonly count: number }[];
}

/** A power of two is divided into so many buckets, as a power of two itself. */
const BITS = 10;
const PARTS = 2 ** BITS;
/** Microseconds; a request to Cloud Run takes an hour at most, and nobody loads with such ones. */
const MOST = 2 ** 31 - 1;

/** A histogram as http://hdrhistogram.org has it. Node's own does not show its buckets, which a plot is made of. */
export function createLatencies(): Latencies {
  const counts = new Uint32Array((32 - BITS) * PARTS);
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
    add(duration) {
      const value = Math.min(Math.max(Math.round(duration * 1000), 1), MOST);
      const shift = Math.max(0, 31 - Math.clz32(value) - BITS);
      const index = shift * PARTS + (value >>> shift);
      counts[index] = (counts[index] as number) + 1;
      count += 1;
      sum += duration;
      if (duration < min) min = duration;
      if (duration > max) max = duration;
    },
    percentile(percent) {
      const wanted = Math.max(1, Math.ceil((percent / 100) * count));
      let seen = 0;
      for (let index = 0; index < counts.length; index += 1) {
        seen += counts[index] as number;
        if (seen >= wanted) return Math.min(upperBound(index), max);
      }
      return max;
    },
    buckets() {
      const found: { upTo: number; count: number }[] = [];
      counts.forEach((each, index) => each > 0 && found.push({ upTo: upperBound(index), count: each }));
      return found;
    },
  };
}

/** Milliseconds. The first two powers' worth of buckets hold one value each. */
function upperBound(index: number): number {
  const shift = Math.max(0, Math.floor(index / PARTS) - 1);
  return ((index - shift * PARTS + 1) * 2 ** shift - 1) / 1000;
}
