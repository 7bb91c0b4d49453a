// ITU-T X.690, section 8: a value is its tag, its length and its content. Implemented here for the few types in certificates, since
// libraries that know all types take longer to load than the rest of the emulator.

/** A value with any tag; X.680, section 8.6, lists the universal ones. */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body)]), body]);
}

export const sequence = (...content: readonly Uint8Array[]): Buffer => der(0x30, ...content);
export const set = (...content: readonly Uint8Array[]): Buffer => der(0x31, ...content);
export const octets = (content: Uint8Array): Buffer => der(0x04, content);

/** A non-negative number: big-endian, of any length. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte > 0);
  const digits = first < 0 ? new Uint8Array(1) : bytes.subarray(first);
  // A leading 1 bit would make it negative.
  return (digits[0] ?? 0) > 0x7f ? der(0x02, new Uint8Array(1), digits) : der(0x02, digits);
}

export function boolean(value: boolean): Buffer {
  return der(0x01, Buffer.from([value ? 0xff : 0]));
}

/** A bit string; the last `unused` bits of the last byte don't count. */
export function bits(content: Uint8Array, unused = 0): Buffer {
  return der(0x03, Buffer.from([unused]), content);
}

/** A bit string of flags, by their numbers, which are below 8. */
export function flags(...numbers: readonly number[]): Buffer {
  const byte = numbers.reduce((sum, number) => sum | (0x80 >> number), 0);
  return bits(Buffer.from([byte]), 7 - Math.max(...numbers));
}

/** An object identifier, such as `2.5.29.19`. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(inSevenBits)));
}

/** A PrintableString if its characters allow it, otherwise a UTF8String: RFC 5280, section 4.1.2.4. */
export function text(value: string): Buffer {
  return der(/^[A-Za-z0-9 '()+,./:=?-]*$/.test(value) ? 0x13 : 0x0c, Buffer.from(value));
}

/** Milliseconds since the epoch, rounded down to seconds, in the form that RFC 5280, section 4.1.2.5, requires for the year. */
export function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replace(/\.\d+|[-:T]/g, "");
  return digits < "2050" ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

function lengthOf({ length }: Uint8Array): readonly number[] {
  if (length < 0x80) return [length];
  const bytes = length < 0x100 ? [length] : [length >> 8, length & 0xff];
  return [0x80 | bytes.length, ...bytes];
}

/** Base 128: seven bits per byte, the most significant first; all bytes except the last have their high bit set. */
function inSevenBits(number: number): readonly number[] {
  const groups = [number & 0x7f];
  for (let rest = number >> 7; rest > 0; rest >>= 7) groups.unshift(0x80 | (rest & 0x7f));
  return groups;
}
