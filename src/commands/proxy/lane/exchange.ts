import { createAnswerReader, OddAnswer, type AnswerReader } from "../../../http/wire/response-reader.ts";
import type { Caller, Exchange } from "../../../http/wire/connection.ts";
import type { Link } from "../../../http/wire/links.ts";
import { failurePage, type Door } from "../local-responses.ts";
import { sentOrigin } from "../headers.ts";
import type { Suspect } from "../rejections.ts";
import { fieldsOf, readAnswerHead, type ServiceAnswerHead } from "./answer-head.ts";
import type { CallerRequestHead } from "./request-head.ts";

/** RFC 9110, section 9.2.2: what may be sent again when a resting connection turns out to be closed. */
const REPEATABLE = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);
/** RFC 9110, section 8.6: methods that a request without a body does not say `Content-Length: 0` with. */
const BODILESS = new Set(["GET", "HEAD", "OPTIONS", "DELETE"]);
/** Bytes of an answer that are kept back until it is known whose it is. */
const MOST_KEPT = 64 * 1024;
const NOTHING = Buffer.alloc(0);
const KEPT = "Connection: keep-alive\r\nKeep-Alive: timeout=65\r\n\r\n";
const CLOSED = "Connection: close\r\n\r\n";

/** Passes a request on to the service with the token, and the answer back as it comes. */
export function openExchange(request: CallerRequestHead, caller: Caller, door: Door): Exchange {
  const { journal, tokens, upstream, refusals } = door;
  const { links } = upstream;
  const { method, path, length = 0 } = request;
  const begun = journal.begin();
  const addresses = door.addressesFor(request.host);
  const carrier = request.hasAuthorization ? door.secondCarrier : "Authorization";
  const mayRepeat = length === 0 && REPEATABLE.has(method);

  let unsent = length;
  let early: Buffer[] = [];
  let token = "";
  let isSecond = false;
  let link: Link | undefined;
  let reader: AnswerReader;
  let answer: ServiceAnswerHead | undefined;
  let head = "";
  let isBegun = false;
  let isKept = false;
  let isOver = false;
  /** What is kept back of the answer, as it was written and without its chunks. */
  let held: { readonly written: Buffer[]; readonly data: Buffer[]; size: number } | undefined;
  let witness: ReturnType<typeof refusals.watch>;

  const over = (status: number): void => {
    isOver = true;
    journal.end(method, path, status, begun);
  };
  const drop = (): void => {
    if (link) links.drop(link);
    link = undefined;
  };
  const suspect = (): Suspect => ({ status: answer?.status ?? 0, headers: fieldsOf(answer?.kept ?? ""), path, carrier, token });

  const fail = (error: unknown): void => {
    if (isOver) return;
    drop();
    if (isBegun) {
      over(answer?.status ?? 0);
      return caller.breakOff();
    }
    if (error instanceof OddAnswer && mayRepeat) {
      isOver = true;
      caller.leave();
      return journal.forget();
    }
    const page = failurePage(error, door);
    refusals.tell(page.error);
    isKept = !request.isLast && caller.isKept();
    const body = Buffer.from(page.body);
    const fields = Object.entries({ ...page.headers, "content-length": body.length }).map(([name, value]) => `${name}: ${value}\r\n`);
    const line = `HTTP/1.1 ${page.status} ${page.status === 504 ? "Gateway Timeout" : "Bad Gateway"}\r\n`;
    caller.write(`${line}${fields.join("")}${isKept ? KEPT : CLOSED}`, method === "HEAD" ? NOTHING : body);
    over(page.status);
    caller.done(isKept);
  };

  const pass = (bytes: Buffer, isEnd: boolean): void => {
    const first = head;
    head = "";
    isBegun = true;
    if (!caller.write(first, bytes) && !isEnd) link?.connection.pause();
  };
  const watch = (): void => {
    witness = refusals.watch(suspect());
    listener.see = witness?.see;
  };
  const finish = (isClean: boolean): void => {
    if (link && isClean && unsent === 0 && !answer?.isLast) links.release(link);
    else drop();
    over(answer?.status ?? 0);
    witness?.end();
    caller.done(isKept);
  };
  /** A token that was good once is tried anew: keys are changed, and clocks are set. */
  const reconsider = ({ written, data }: NonNullable<typeof held>, isEnd: boolean, isClean: boolean): void => {
    held = undefined;
    if (isEnd && refusals.isStale(suspect(), Buffer.concat(data))) {
      drop();
      isSecond = true;
      return askWithToken();
    }
    watch();
    for (const each of data) witness?.see(each);
    pass(Buffer.concat(written), isEnd);
    if (isEnd) finish(isClean);
  };

  const listener = {
    see: undefined as ((data: Buffer) => void) | undefined,
    onHead(read: ServiceAnswerHead): void {
      answer = read;
      const { status, kept, isChunked } = read;
      // What lasts until the connection closes does so on this side, too.
      isKept = !request.isLast && (isChunked || read.length !== undefined) && caller.isKept();
      head = `${kept}${isChunked ? "Transfer-Encoding: chunked\r\n" : ""}${isKept ? KEPT : CLOSED}`;
      if (status < 400) tokens.accepted(token);
      if (status === 401 && length === 0 && !isSecond) {
        const { data } = (held = { written: [], data: [] as Buffer[], size: 0 });
        listener.see = (bytes) => void data.push(bytes);
      } else if (status >= 400 || read.isFromIap) watch();
    },
    onBody(bytes: Buffer, isEnd: boolean, isClean: boolean): void {
      if (held) {
        held.written.push(bytes);
        held.size += bytes.length;
        if (isEnd || held.size > MOST_KEPT) reconsider(held, isEnd, isClean);
        return;
      }
      pass(bytes, isEnd);
      if (isEnd) finish(isClean);
    },
  };
  const user = {
    onData(bytes: Buffer): boolean {
      try {
        reader.read(bytes);
      } catch (error) {
        fail(error);
      }
      return !held && caller.isTaken();
    },
    onDrain: () => caller.resume(),
    onClose(error: NodeJS.ErrnoException | undefined): void {
      const isReused = link?.isReused;
      link = undefined;
      if (!error && reader.close()) return;
      // RFC 9112, section 9.3.1: a resting connection was closed in the moment that it was used again.
      const isBroken = !error || error.code === "ECONNRESET" || error.code === "EPIPE";
      if (isReused && isBroken && mayRepeat && reader.isUntouched()) ask();
      else fail(error ?? Object.assign(new Error("it gave no answer"), { code: "ECONNRESET" }));
    },
  };

  const ask = (): void => {
    answer = undefined;
    listener.see = undefined;
    reader = createAnswerReader((text) => readAnswerHead(text, method, addresses), listener);
    links.take(user, (error, taken) => {
      if (isOver) return error ? undefined : links.drop(taken);
      if (error) return fail(error);
      link = taken;
      link.connection.write(sentText(), "latin1");
      for (const bytes of early) link.connection.write(bytes);
      if (early.length > 0) caller.resume();
      early = [];
    });
  };
  const sentText = (): string => {
    const { origin } = request.browser;
    const page = origin === undefined ? "" : `Origin: ${sentOrigin(origin, addresses)}\r\n`;
    const size = request.length === undefined && !BODILESS.has(method) ? "Content-Length: 0\r\n" : "";
    return `${request.kept}${page}${size}Host: ${addresses.service.host}\r\n${carrier}: Bearer ${token}\r\n\r\n`;
  };
  const askWithToken = (): void => {
    try {
      const held = tokens.get();
      const use = (each: string): void => {
        token = each;
        if (!isOver) ask();
      };
      if (typeof held === "string") use(held);
      else held.then(use, fail);
    } catch (error) {
      fail(error);
    }
  };

  return {
    start: askWithToken,
    send(bytes) {
      unsent -= bytes.length;
      if (isOver) return true;
      if (link) return link.connection.write(bytes);
      early.push(bytes);
      return false;
    },
    drain: () => void link?.connection.resume(),
    abandon() {
      if (isOver) return;
      drop();
      over(isBegun ? (answer?.status ?? 0) : 0);
    },
  };
}
