/** The machine lacks what a row compares with. */
export class Missing extends Error {}
