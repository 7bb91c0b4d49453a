/**
 * What is to become of a field, by its name in lower case and as it was spelled: nothing where it stays as it is, else the text in its stead, which is
 * empty where it goes.
 */
export type Meet = (name: string, value: string, spelled: string) => string | undefined;

/** A header section that was read. */
export interface Fields {
  /** All before the empty line, with what became of the fields that were met. */
  readonly kept: string;
  /** Where the body begins. */
  readonly end: number;
}

/** More is to come: the section has no end yet. */
export const INCOMPLETE = "incomplete";
/** What RFC 9112 does not allow, or allows and two readers have read differently before. */
export const ODD = "odd";

/** Bytes of a header section, whoever sends it. */
export const MAX_HEADER_BYTES = 64 * 1024;

/** RFC 9110, section 5.6.2. */
export const NAME = characters(/[!#$%&'*+.^_`|~0-9A-Za-z-]/);
/** RFC 9110, section 5.5: no control character but the tab. */
export const VALUE = characters(/[\t\x20-\x7e\x80-\xff]/);
export const CR = 13;
export const LF = 10;
const COLON = 58;

/** A table of the characters that an expression takes, by their codes: to ask it is cheaper than to ask the expression for each. */
function characters(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => Number(pattern.test(String.fromCharCode(code))));
}

/** Reads header sections in which the fields of these names, in lower case, are met, or all of them; the others stay. */
export function createFieldReader(
  names: Iterable<string> | "all",
): (text: string, start: number, meet: Meet) => Fields | typeof INCOMPLETE | typeof ODD {
  const met = names === "all" ? undefined : new Set(names);
  // Most names are none of these by their length and first letter: only what is left is cut out and looked up.
  const suspects = new Uint8Array(2048).fill(met ? 0 : 1);
  for (const name of met ?? []) suspects[suspicion(name.length, name.charCodeAt(0))] = 1;

  return (text, start, meet) => {
    const { length } = text;
    let kept = "";
    let keptTo = 0;
    let at = start;
    for (;;) {
      const begin = at;
      while (at < length && NAME[text.charCodeAt(at)] === 1) at += 1;
      if (at === begin) {
        // An empty line, or one that begins with what no name has: a space, which once said that a field goes on (RFC 9112, section 5.2), or a bare line end.
        if (at + 1 < length ? text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF : at < length && text.charCodeAt(at) !== CR)
          return ODD;
        return at + 1 < length ? { kept: keptTo === 0 ? text.slice(0, at) : kept + text.slice(keptTo, at), end: at + 2 } : INCOMPLETE;
      }
      const colon = at;
      if (at >= length) return INCOMPLETE;
      if (text.charCodeAt(at) !== COLON) return ODD;
      at += 1;
      while (at < length && VALUE[text.charCodeAt(at)] === 1) at += 1;
      if (at + 1 >= length) return at < length && text.charCodeAt(at) !== CR ? ODD : INCOMPLETE;
      if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) return ODD;
      at += 2;
      if (suspects[suspicion(colon - begin, text.charCodeAt(begin))] === 0) continue;
      const spelled = text.slice(begin, colon);
      const name = spelled.toLowerCase();
      if (met && !met.has(name)) continue;
      const instead = meet(name, trim(text, colon + 1, at - 2), spelled);
      if (instead === undefined) continue;
      kept += text.slice(keptTo, begin) + instead;
      keptTo = at;
    }
  };
}

function suspicion(length: number, first: number): number {
  return ((length & 63) << 5) | (first & 31);
}

/** RFC 9110, section 5.6.3: what may stand around a value is less than `trim` takes. */
function trim(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
