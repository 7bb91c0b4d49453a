import { isUtf8 } from "node:buffer";
import { indentJson } from "./json-text.ts";

interface ResponseContent {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** null if the body was written to a file. */
  readonly bytes: Buffer | null;
}

/**
 * Formats a response as JSON with two-space indent: `{"status_code", "response"}`, then the other members. `response` is the body if it is
 * JSON, with its numbers exactly as the service wrote them; else its text; else base64, with `response_encoding`.
 */
export function formatResponse({ status, headers, bytes }: ResponseContent, otherMembers: Readonly<Record<string, unknown>> = {}): string {
  const members: [string, string][] = [["status_code", String(status)], ...writeResponse(bytes, headers["content-type"])];
  for (const [name, value] of Object.entries(otherMembers)) members.push([name, JSON.stringify(value, null, 2).replaceAll("\n", "\n  ")]);
  const document = `{\n${members.map(([name, value]) => `  ${JSON.stringify(name)}: ${value}`).join(",\n")}\n}\n`;
  // JSON doesn't escape these, and some terminals interpret them as commands.
  return document.replace(/[\u007f-\u009f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export function isHtml(headers: Readonly<Record<string, string>>): boolean {
  return (headers["content-type"] ?? "").startsWith("text/html");
}

/** The title and the first sentence of an HTML page. */
export function summarizePage(html: string): string {
  const toText = (markup = "") =>
    markup
      .replace(/<\/?(?:code|b|a|ins)\b[^>]*>/g, "")
      .replace(/<[^>]*>/g, " ")
      .replace(/&(lt|gt|quot|amp|#39);/g, (_, name: string) => ENTITIES[name] ?? "")
      .replace(/\s+/g, " ")
      .trim();
  const [title, heading] = [/<title>(.*?)<\/title>/is, /<(h2|p)>(?!<b>)(.*?)(?:<\/\1>|<ins>|$)/is].map((part) =>
    toText(part.exec(html)?.at(-1)),
  );
  return [title, heading].filter(Boolean).join(": ") || toText(html);
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', amp: "&", "#39": "'" };

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

/** JSON is a body with that content type, or else an object or an array: a text that happens to be a number stays text. */
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
