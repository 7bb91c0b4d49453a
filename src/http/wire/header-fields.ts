import { MalformedResponse } from "./malformed-response.ts";

/** RFC 9110, section 5.6.2. */
const NAME_CHARACTERS = characterTable(/[!#$%&'*+.^_`|~0-9A-Za-z-]/);
/** RFC 9110, section 5.5: no control character except the tab. */
const VALUE_CHARACTERS = characterTable(/[\t\x20-\x7e\x80-\xff]/);
const CR = 13;
const LF = 10;
const COLON = 58;

/** A table of the characters that match, by their codes: a lookup is cheaper than a match for each character. */
function characterTable(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => Number(pattern.test(String.fromCharCode(code))));
}

/**
 * Reads a header section; calls back for the fields whose name, in lower case, is one of these. Returns where the section ends, undefined if its end is
 * missing. Throws MalformedResponse for what RFC 9112 doesn't allow, or what readers are known to read differently.
 */
export function readHeaderFields(
  text: string,
  start: number,
  names: ReadonlySet<string>,
  onField: (name: string, value: string) => void,
): number | undefined {
  const { length } = text;
  for (let at = start; ;) {
    const begin = at;
    while (at < length && NAME_CHARACTERS[text.charCodeAt(at)] === 1) at += 1;
    // The section ends with an empty line. A line that begins with a space once continued a field (RFC 9112, section 5.2), and some accept a bare LF.
    if (at === begin) return expectLineEnd(text, at) ? at + 2 : undefined;
    const colon = at;
    if (at >= length) return undefined;
    if (text.charCodeAt(at) !== COLON) throw new MalformedResponse();
    at += 1;
    while (at < length && VALUE_CHARACTERS[text.charCodeAt(at)] === 1) at += 1;
    if (!expectLineEnd(text, at)) return undefined;
    const name = text.slice(begin, colon).toLowerCase();
    if (names.has(name)) onField(name, text.slice(colon + 1, at).replace(/^[\t ]+|[\t ]+$/g, ""));
    at += 2;
  }
}

/** False if the line end isn't complete yet. */
function expectLineEnd(text: string, at: number): boolean {
  if (at < text.length && text.charCodeAt(at) !== CR) throw new MalformedResponse();
  if (at + 1 >= text.length) return false;
  if (text.charCodeAt(at + 1) !== LF) throw new MalformedResponse();
  return true;
}
