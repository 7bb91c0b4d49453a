/** An answer's head, and whether its connection goes on after it. */
export interface AnswerHead {
  readonly status: number;
  /** Status line and header lines as they came, without the empty line. */
  readonly head: string;
  readonly isKept: boolean;
}

/** What came is no HTTP/1.1. */
export class MalformedAnswer extends Error {
  override readonly name = "MalformedAnswer";
  readonly code = "NOT_HTTP";
}

/** Takes a connection's bytes, answer after answer. */
export interface AnswerReader {
  /** An answer is to come; HEAD's has no body, whatever its headers say. */
  expect(isToHead: boolean): void;
  /** Nothing of the chunk is kept. Throws MalformedAnswer. */
  read(chunk: Buffer): void;
  /** The connection has ended. True where that was the end of an answer. */
  end(): boolean;
}

const HEAD_END = Buffer.from("\r\n\r\n");
const LINE_END = Buffer.from("\r\n");
const NOTHING = Buffer.alloc(0);
/** Bytes; Node's own limit for what it reads is a quarter of it. */
const MOST_HEAD = 64 * 1024;
/** Bytes left of the body where they are not counted: it ends with the connection, or after its last chunk. */
const TO_CLOSE = Infinity;

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |\r|$)/;
const LENGTH = /\r\ncontent-length:[ \t]*([^\r]*)/i;
const CODING = /\r\ntransfer-encoding:[ \t]*([^\r]*)/i;
const CONNECTION = /\r\nconnection:[ \t]*([^\r]*)/i;

/**
 * Reads answers by RFC 9112, section 6.3, and no more of them than where they end: a body is counted, and not kept. `done` is called once an
 * answer is whole. Node's own parser makes objects of everything, which takes longer than all the rest of a load generator does.
 */
export function createAnswerReader(done: (answer: AnswerHead) => void): AnswerReader {
  let rest: Buffer = NOTHING;
  let state: "idle" | "head" | "body" | "size" | "trailers" = "idle";
  let isToHead = false;
  let left = 0;
  let isInChunks = false;
  let isWhole = false;
  let isBetween = false;
  let current: AnswerHead = { status: 0, head: "", isKept: false };

  const finish = (): void => {
    state = "idle";
    isWhole = true;
  };
  /** The next request may be sent from within. */
  const tell = (): void => {
    if (!isWhole) return;
    isWhole = false;
    done(current);
  };

  /** What is read of `data` from `at` on; -1 where more of it has to come. */
  const step = (data: Buffer, at: number): number => {
    if (state === "body") {
      const taken = Math.min(left, data.length - at);
      left -= taken;
      if (left === 0) {
        if (isInChunks) state = "size";
        else finish();
      }
      return at + taken;
    }
    if (state === "head") {
      const end = data.indexOf(HEAD_END, at);
      if (end < 0) return -1;
      begin(data.toString("latin1", at, end));
      return end + 4;
    }
    const end = data.indexOf(LINE_END, at);
    if (end < 0) return -1;
    if (state === "size") {
      // A chunk is followed by a line end of its own: to the next size there is an empty line first.
      if (end === at && left === 0 && isBetween) isBetween = false;
      else readSize(data.toString("latin1", at, end));
    } else if (end === at) {
      finish();
    }
    return end + 2;
  };

  const readSize = (line: string): void => {
    const [, digits] = /^([0-9a-f]{1,12})[ \t]*(?:;|$)/i.exec(line) ?? [];
    if (digits === undefined || isBetween) throw new MalformedAnswer("a chunk has no size");
    left = Number.parseInt(digits, 16);
    isBetween = left > 0;
    state = left > 0 ? "body" : "trailers";
  };

  const begin = (head: string): void => {
    const [, minor, code] = STATUS_LINE.exec(head) ?? [];
    if (code === undefined) throw new MalformedAnswer("an answer does not begin with HTTP/1.1 and a status");
    const status = Number(code);
    // RFC 9110, section 15.2: what goes before the answer. Nobody asked for another protocol.
    if (status === 101) throw new MalformedAnswer("an answer changes to another protocol");
    if (status < 200) return;
    const option = CONNECTION.exec(head)?.[1]?.toLowerCase();
    const isKept = minor === "1" ? !option?.includes("close") : option?.includes("keep-alive") === true;
    const framing = isToHead || status === 204 || status === 304 ? 0 : bodyOf(head);
    isInChunks = framing === "chunked";
    isBetween = false;
    current = { status, head, isKept: isKept && framing !== TO_CLOSE };
    if (framing === "chunked") return void (state = "size");
    left = framing;
    if (left === 0) finish();
    else state = "body";
  };

  return {
    expect(toHead) {
      isToHead = toHead;
      state = "head";
    },
    read(chunk) {
      const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      rest = NOTHING;
      for (let at = 0; at < data.length;) {
        if (state === "idle") throw new MalformedAnswer("bytes came that belong to no answer");
        const next = step(data, at);
        if (next < 0) {
          rest = Buffer.from(data.subarray(at));
          if (rest.length > MOST_HEAD) throw new MalformedAnswer("an answer's head has no end");
          return;
        }
        at = next;
      }
      tell();
    },
    end() {
      if (state !== "body" || left !== TO_CLOSE) return false;
      finish();
      tell();
      return true;
    },
  };
}

/** How long a body is: bytes, in chunks, or until the connection ends. */
function bodyOf(head: string): number | "chunked" {
  const [, coding] = CODING.exec(head) ?? [];
  if (coding !== undefined) {
    if (/^(?:.*,)?[ \t]*chunked[ \t]*$/i.test(coding)) return "chunked";
    throw new MalformedAnswer("a body is coded in a way that nobody asked for");
  }
  const [, length] = LENGTH.exec(head) ?? [];
  if (length === undefined) return TO_CLOSE;
  if (!/^\d{1,15}$/.test(length.trim())) throw new MalformedAnswer("a body's length is no number");
  return Number(length);
}
