import { mkdirSync } from "node:fs";
import { openJournal, type Change, type Journal } from "./journal.ts";
import type { ResourceTypes } from "./resources.ts";

/** The resources of one kind, by key. Values read from it are frozen; values set are copied. */
interface Collection<T> {
  get(key: string): T | undefined;
  /** All values, or those whose key starts with `prefix`, ordered by key. */
  list(prefix?: string): T[];
  /** The keys of all values, or those that start with `prefix`, in order. */
  keys(prefix?: string): string[];
  set(key: string, value: T): void;
  delete(key: string): void;
}

export type State = { readonly [Name in keyof ResourceTypes]: Collection<ResourceTypes[Name]> } & {
  /** The data directory; blobs, images and keys are in folders beside the journal. */
  readonly directory: string;
  /** The emulator's clock, in milliseconds since the epoch. */
  readonly now: () => number;
  /** Makes several changes at once: after a crash, or an error thrown by `work`, either all have happened or none. */
  transaction<T>(work: () => T): T;
  close(): void;
};

const COLLECTIONS = [
  "accessTokens",
  "apis",
  "buckets",
  "builds",
  "images",
  "keys",
  "logins",
  "objects",
  "operations",
  "orgPolicies",
  "policies",
  "projects",
  "repositories",
  "revisions",
  "secrets",
  "secretVersions",
  "serviceAccounts",
  "services",
  "settings",
  "tags",
  "uploads",
  "users",
  "workloadIdentityPools",
  "workloadIdentityProviders",
] as const satisfies readonly (keyof ResourceTypes)[];

/** Opens the state in a directory; creates it if missing. A change is on disk when `set`, `delete` or the transaction around them returns. */
export function openState(directory: string, now: () => number = Date.now): State {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const memory = new Map<string, Map<string, unknown>>(COLLECTIONS.map((name) => [name, new Map()]));
  const apply = ({ collection, key, value }: Change): void => {
    const resources = memory.get(collection);
    // A later version can have written it, and this version must not lose what it doesn't know.
    if (!resources) throw new Error(`Unknown collection ${collection}.`);
    if (value === undefined) resources.delete(key);
    else resources.set(key, freeze(value));
  };
  const journal = openJournal(directory, apply, () => listAll(memory));
  const record = createRecorder(memory, journal, apply);

  const collections = Object.fromEntries(
    COLLECTIONS.map((name) => [name, collection(name, memory.get(name) as Map<string, unknown>, record.change)]),
  );
  return { directory, now, ...collections, transaction: record.transaction, close: () => journal.close() } as unknown as State;
}

function collection(name: string, resources: ReadonlyMap<string, unknown>, change: (change: Change) => void): Collection<unknown> {
  return {
    get: (key) => resources.get(key),
    list: (prefix = "") =>
      [...resources]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, value]) => value),
    keys: (prefix = "") => [...resources.keys()].filter((key) => key.startsWith(prefix)).sort(),
    set: (key, value) => change({ collection: name, key, value: JSON.parse(JSON.stringify(value)) }),
    delete: (key) => change({ collection: name, key }),
  };
}

function createRecorder(memory: ReadonlyMap<string, ReadonlyMap<string, unknown>>, journal: Journal, apply: (change: Change) => void) {
  let pending: { done: Change[]; undo: Change[] } | undefined;

  const change = (next: Change): void => {
    if (!pending) return transaction(() => change(next));
    pending.undo.unshift({ ...next, value: memory.get(next.collection)?.get(next.key) });
    pending.done.push(next);
    apply(next);
  };

  const transaction = <T>(work: () => T): T => {
    if (pending) return work();
    const mine = (pending = { done: [], undo: [] } as { done: Change[]; undo: Change[] });
    try {
      const result = work();
      if (mine.done.length > 0) journal.append(mine.done);
      return result;
    } catch (error) {
      for (const undo of mine.undo) apply(undo);
      throw error;
    } finally {
      pending = undefined;
    }
  };
  return { change, transaction };
}

function* listAll(memory: ReadonlyMap<string, ReadonlyMap<string, unknown>>): Generator<Change> {
  for (const [name, resources] of memory) for (const [key, value] of resources) yield { collection: name, key, value };
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) freeze(member);
  }
  return value;
}
