import { isUtf8 } from "node:buffer";
import { indentJson } from "./json-text.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** null where the body went elsewhere. */
  readonly bytes: Buffer | null;
}

/**
 * What a service answered, as a JSON text with two-space indent: `{"status_code", "response"}` and then what else is to be said.
 * `response` is the body where it is JSON, exactly as the service wrote its numbers; else its text; else base64, with `response_encoding`.
 */
export function formatResponse({ status, headers, bytes }: Answer, more: Readonly<Record<string, unknown>> = {}): string {
  const members: [string, string][] = [["status_code", String(status)], ...writeResponse(bytes, headers["content-type"])];
  for (const [name, value] of Object.entries(more)) members.push([name, JSON.stringify(value, null, 2).replaceAll("\n", "\n  ")]);
  const document = `{\n${members.map(([name, value]) => `  ${JSON.stringify(name)}: ${value}`).join(",\n")}\n}\n`;
  // JSON leaves these bare, and some terminals take them for commands.
  return document.replace(/[\u007f-\u009f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function writeResponse(bytes: Buffer | null, type: string | undefined): [string, string][] {
  if (bytes === null) return [["response", "null"]];
  if (!isUtf8(bytes))
    return [
      ["response", JSON.stringify(bytes.toString("base64"))],
      ["response_encoding", '"base64"'],
    ];
  const text = bytes.toString("utf8").replace(/^\uFEFF/, "");
  return [["response", isJson(text, type) ? indentJson(text.trim(), "  ") : JSON.stringify(text)]];
}

/** JSON is what calls itself so, and otherwise an object or an array: a text that happens to be a number stays text. */
function isJson(text: string, type = ""): boolean {
  const isDeclared = /^[^;]*[/+]json\s*(?:;|$)/i.test(type);
  if (!isDeclared && !/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
