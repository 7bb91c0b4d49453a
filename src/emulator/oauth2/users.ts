import { randomInt } from "node:crypto";

export interface User {
  readonly email: string;
  /** The 21 digits that an ID token carries as `sub`. */
  readonly uniqueId: string;
}

export interface Login {
  readonly email: string;
  readonly clientId: string;
  /** Its SHA-256 in hex. */
  readonly clientSecret: string;
  readonly scopes: readonly string[];
}

/** 21 random digits, as Google assigns to accounts. */
export function createUniqueId(): string {
  return `1${Array.from({ length: 20 }, () => randomInt(10)).join("")}`;
}
