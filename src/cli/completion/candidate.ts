/** A word that can replace the one that is being typed, and what it means. */
export type Candidate = readonly [value: string, meaning?: string];
