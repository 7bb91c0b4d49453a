/**
 * Indents a JSON text by two spaces like JSON.stringify, but keeps every number and string as it is written: a round trip through
 * JSON.parse would round numbers beyond 2^53 and drop duplicate keys. The text must be JSON.
 */
export function indentJson(text: string, margin = ""): string {
  const out: string[] = [];
  let indent = margin;
  for (let at = 0; at < text.length;) {
    const character = text[at] as string;
    const end = endOfToken(text, at);
    const next = skipBlanks(text, end);
    if (character === "{" || character === "[") {
      const isEmpty = text[next] === "}" || text[next] === "]";
      if (!isEmpty) indent += "  ";
      out.push(character, isEmpty ? (text[next] as string) : `\n${indent}`);
      at = isEmpty ? skipBlanks(text, next + 1) : next;
      continue;
    }
    if (character === "}" || character === "]") {
      indent = indent.slice(2);
      out.push(`\n${indent}${character}`);
    } else if (character === ",") {
      out.push(`,\n${indent}`);
    } else if (character === ":") {
      out.push(": ");
    } else {
      out.push(text.slice(at, end));
    }
    at = next;
  }
  return out.join("");
}

/** Puts a JSON text on one line and keeps every number and string as it is written. */
export function compactJson(text: string): string {
  const out: string[] = [];
  for (let at = skipBlanks(text, 0); at < text.length;) {
    const end = endOfToken(text, at);
    out.push(text.slice(at, end));
    at = skipBlanks(text, end);
  }
  return out.join("");
}

function endOfToken(text: string, start: number): number {
  const isString = text[start] === '"';
  if (!isString && "{}[],:".includes(text[start] as string)) return start + 1;
  let at = start + 1;
  if (!isString) {
    while (at < text.length && !'{}[],:" \n\r\t'.includes(text[at] as string)) at += 1;
    return at;
  }
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  while (at < text.length && " \n\r\t".includes(text[at] as string)) at += 1;
  return at;
}
