import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What each room of src/ can import from, besides itself. A new room needs a line here. Types count. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  "main.ts": ["cli", "context", "terminal", "errors"],
  "index.ts": ["library", "auth", "http", "errors"],
  cli: ["commands", "context", "cloud", "auth", "settings", "terminal", "errors"],
  commands: ["context", "invoke", "cloud", "auth", "emulator", "settings", "http", "terminal", "errors"],
  library: ["context", "invoke", "cloud", "auth", "emulator", "settings", "http", "terminal", "errors"],
  context: ["cloud", "emulator", "settings", "http", "terminal", "errors"],
  invoke: ["cloud", "auth", "settings", "http", "errors"],
  cloud: ["auth", "settings", "http", "terminal", "errors"],
  auth: ["settings", "http", "errors"],
  settings: ["errors"],
  http: ["errors"],
  terminal: ["errors"],
  errors: [],
  emulator: [],
};

/** Packages that only certain rooms import. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  commander: ["cli", "context", "commands"],
  execa: ["cloud", "emulator"],
  conf: ["settings"],
  chalk: ["terminal"],
  ora: ["terminal"],
  "@clack/prompts": ["terminal"],
};

const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const imports = new Map(files.map((file) => [file, importsOf(file)]));

test("every import follows an arrow between rooms", () => {
  const wrong = files.flatMap((file) =>
    imported(file)
      .filter((target) => roomOf(target) !== roomOf(file))
      .filter((target) => !ARROWS[roomOf(file)]?.includes(roomOf(target)) || isInsideEmulator(target))
      .map((target) => `${file} → ${target}`),
  );
  expect(wrong).toEqual([]);
  expect(new Set(files.map(roomOf))).toEqual(new Set(Object.keys(ARROWS)));
});

test("each package is imported by the rooms that it belongs to", () => {
  const wrong = files.flatMap((file) =>
    (imports.get(file) ?? []).filter((name) => PACKAGES[name] && !PACKAGES[name].includes(roomOf(file))).map((name) => `${file} → ${name}`),
  );
  expect(wrong).toEqual([]);
});

test("no file imports itself by way of others, types included", () => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    if (path.includes(file) || done.has(file)) return;
    for (const target of imported(file)) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  expect(circles).toEqual([]);
});

function importsOf(file: string): string[] {
  const code = readFileSync(join(ROOT, "src", file), "utf8");
  return [...code.matchAll(/^(?:import|export)\b[^;"]*?"([^"]+)"|\bimport\(\s*"([^"]+)"/gm)].map(([, name = "", late = name]) => late);
}

function imported(file: string): string[] {
  const names = (imports.get(file) ?? []).filter((name) => name.startsWith(".") && name.endsWith(".ts"));
  return names.map((name) => join(dirname(file), name));
}

function roomOf(file: string): string {
  return file.split("/")[0] ?? "";
}

/** The emulator is imported through its index.ts. */
function isInsideEmulator(target: string): boolean {
  return roomOf(target) === "emulator" && target !== "emulator/index.ts";
}
