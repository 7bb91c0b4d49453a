import { readFileSync } from "node:fs";

interface Key {
  /** `traffic[].revision`; `.*` at its end where whatever lies below is not described. */
  readonly path: string;
  readonly isOptional: boolean;
}

const PAGE = readFileSync(new URL("../../docs/json.md", import.meta.url), "utf8");

/** The sections of docs/json.md that stand for commands, by their names, with their keys. */
export function documentedKeys(): ReadonlyMap<string, readonly Key[]> {
  const [shapes = "", commands = ""] = PAGE.split(/^## Shapes$/m)[1]?.split(/(?=^## )([\s\S]*)/m) ?? [];
  const known = new Map(sections(shapes, "### ").map(([name, text]) => [name, keysOf(text)]));
  return new Map(
    sections(commands, "## ").map(([name, text]) => {
      const included = [...text.matchAll(/^- (?:`([^`?]+)(\?)?`: )?all keys of \[(.+?)\]/gm)].flatMap(([, base, mark, shape = ""]) =>
        (known.get(shape) ?? missing(shape)).map(({ path, isOptional }) => ({
          path: base === undefined ? path : `${base}.${path}`,
          isOptional: isOptional || mark !== undefined,
        })),
      );
      return [name, [...included, ...keysOf(text)]];
    }),
  );
}

/**
 * Holds a command's document against its section of docs/json.md: every key is described there, and every key that is described is there, but for those
 * with a `?` and what lies below null or in an empty list. Say the command as a literal: a test looks for these calls in the tests' sources.
 */
export function expectDocumented(command: string, document: unknown): void {
  const keys = documentedKeys().get(command) ?? missing(command);
  const open = keys.filter(({ path }) => path.endsWith("*")).map(({ path }) => path.replace(/\.?\*$/, ""));
  const isOpen = (path: string) =>
    open.some((base) => path === base || base === "" || path.startsWith(`${base}.`) || path.startsWith(`${base}[`));
  const found = new Set(pathsOf(document));
  const told = new Set(keys.map(({ path }) => path.replace(/\.?\*$/, "")));
  const undescribed = [...found].filter(
    (path) => !told.has(path) && !isOpen(path) && ![...told].some((other) => other.startsWith(`${path}.`)),
  );
  const absent = keys
    .filter(({ path, isOptional }) => !isOptional && isMissing(document, path.replace(/\.?\*$/, "")))
    .map(({ path }) => path);
  const faults = [...undescribed.map((path) => `${path} is not described`), ...absent.map((path) => `${path} is not there`)];
  if (faults.length > 0) throw new Error(`docs/json.md and what ${command} prints: ${faults.join(", ")}.`);
}

function missing(name: string): never {
  throw new Error(`docs/json.md has no section ${name}.`);
}

function sections(text: string, mark: string): [name: string, text: string][] {
  return text
    .split(new RegExp(`^${mark}`, "m"))
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf("\n")), part]);
}

function keysOf(text: string): Key[] {
  return [...text.matchAll(/^- `([^`]+?)(\?)?`/gm)].map(([, path = "", mark]) => ({ path, isOptional: mark !== undefined }));
}

function* pathsOf(value: unknown, path = ""): Generator<string> {
  if (Array.isArray(value)) for (const element of value) yield* pathsOf(element, `${path}[]`);
  else if (typeof value === "object" && value !== null)
    for (const [key, below] of Object.entries(value)) {
      const inner = path ? `${path}.${key}` : key;
      yield inner;
      yield* pathsOf(below, inner);
    }
}

/** Whether there is an object where the key should be and is not. */
function isMissing(value: unknown, path: string): boolean {
  if (path === "" || value === null) return false;
  if (path.startsWith("[]")) return !Array.isArray(value) || value.some((element) => isMissing(element, path.slice(2).replace(/^\./, "")));
  const [, key = "", rest = ""] = /^([^.[]+)\.?(.*)$/.exec(path) ?? [];
  if (typeof value !== "object" || !Object.hasOwn(value, key)) return true;
  return isMissing((value as Record<string, unknown>)[key], rest);
}
