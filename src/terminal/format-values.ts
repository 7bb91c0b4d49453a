/** What a command prints: a table, its JSON document, or only the values at these keys of the document. */
export type Format = "table" | "json" | readonly string[];

/**
 * The values at keys such as `traffic.revision`, with tabs between several keys. A list has a line for each element.
 */
export function formatValues(document: unknown, keys: readonly string[]): string {
  const columns = keys.map((key) => valuesAt(document, key.split(".")));
  const lines = Array.from({ length: Math.max(...columns.map(({ length }) => length)) }, (_, row) =>
    columns.map((values) => values[row] ?? "").join("\t"),
  );
  return lines.map((line) => `${line}\n`).join("");
}

function valuesAt(value: unknown, path: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((element) => valuesAt(element, path));
  const [key, ...rest] = path;
  if (key === undefined) return [typeof value === "string" ? value : JSON.stringify(value ?? "").replace(/^""$/, "")];
  return valuesAt((value as Readonly<Record<string, unknown>> | null | undefined)?.[key], rest);
}
