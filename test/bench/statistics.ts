/** A middle, and the half of the figures that lies around it: what a few outliers do not move. */
export interface Summary {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

/** The median and the quartiles. */
export function summarize(figures: readonly number[]): Summary {
  return { median: quantile(figures, 0.5), lower: quantile(figures, 0.25), upper: quantile(figures, 0.75) };
}

/** The figure below which this share lies, interpolated between its neighbours; NaN of none. */
export function quantile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (above - below) * (place - Math.floor(place));
}
