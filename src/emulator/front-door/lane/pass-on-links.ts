import { createAnswerHeadReader, type AnswerHead } from "../../../http/wire/response-head.ts";
import { createAnswerReader, OddAnswer, type AnswerReader } from "../../../http/wire/response-reader.ts";
import type { Link, Links } from "../../../http/wire/links.ts";
import { responseHeaders } from "../response.ts";
import { responseTooLarge, unavailable, type Page } from "../error-pages.ts";
import { lengthOfRaw, MOST_BODY_BYTES } from "../forward.ts";
import type { PassOnOptions, ServiceRequest } from "../passage.ts";
import { requestHeaders } from "../request-headers.ts";
import type { Outgoing } from "./exchange.ts";
import { writeChunk, writeEnd, writeHead, type Framing } from "./head.ts";
import type { LinksTo } from "./open-lane.ts";
import type { LaneRequest } from "./request.ts";

interface Onward {
  readonly asked: LaneRequest;
  readonly request: ServiceRequest;
  readonly body: Buffer;
  readonly outgoing: Outgoing;
  readonly linksTo: LinksTo;
}

/** RFC 9110, section 9.2.2: what may be sent once more, to have its answer read otherwise. */
const REPEATABLE = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);
/** Methods that node:http gives no body that nothing is said of. */
const BODILESS = new Set(["GET", "HEAD", "OPTIONS", "DELETE"]);
/** Bytes of an answer's head: what Node's clients take. */
const MOST_ANSWER_HEAD = 16 * 1024;
const NOTHING = Buffer.alloc(0);

const readHead = createAnswerHeadReader("all");

/** Passes on a call over a connection that is kept, as `Passage` has it: what the instance sees and what the caller gets is what `passOn` makes of it. */
export function passOnLinks(onward: Onward, { instance, rawHeaders, added, trace }: PassOnOptions): Promise<Page | undefined> {
  const { asked, request, body, outgoing, linksTo } = onward;
  const { method } = asked;
  return new Promise((resolve) => {
    if (outgoing.isOver()) return resolve(undefined);
    if (instance.protocol !== "http1") {
      outgoing.leave();
      return resolve(undefined);
    }
    let links: Links;
    let link: Link | undefined;
    let reader: AnswerReader;
    let answer: AnswerHead | undefined;
    let headers: string[] = [];
    let chunks: Buffer[] = [];
    let framing: Framing = "by length";
    let head = "";
    let isBegun = false;
    let isSettled = false;

    const settle = (page?: Page): void => {
      isSettled = true;
      clearTimeout(timer);
      if (link) links.drop(link);
      link = undefined;
      resolve(page);
    };
    const refuse = (page: Page): void => {
      if (isSettled) return;
      settle(isBegun ? undefined : page);
      if (isBegun) outgoing.breakOff();
    };
    const timer = setTimeout(() => refuse(unavailable(504)), instance.requestTimeout);
    const fail = (error?: unknown): void => {
      if (isSettled) return;
      if (!(error instanceof OddAnswer) || body.length > 0 || !REPEATABLE.has(method)) return refuse(unavailable(503));
      settle();
      outgoing.leave();
    };

    const listener = {
      see: undefined as ((data: Buffer) => void) | undefined,
      onHead(read: AnswerHead): void {
        answer = read;
        if (method !== "HEAD" && lengthOfRaw(headers) > MOST_BODY_BYTES) return refuse(responseTooLarge());
        const { status, length, isChunked } = read;
        framing = isChunked || length === undefined ? "in chunks" : "by length";
        if (isChunked) listener.see = (data) => void chunks.push(writeChunk(data));
        head = writeHead({
          status,
          headers: [...responseHeaders(headers, trace, outgoing.now()), ...added],
          framing,
          isKept: outgoing.isKept,
        });
      },
      onBody(bytes: Buffer, isEnd: boolean, isClean: boolean): void {
        if (isSettled) return;
        const isTaken = write(bytes, isEnd);
        if (isEnd) return finish(isClean);
        if (!isTaken) link?.connection.pause();
      },
    };
    const write = (bytes: Buffer, isEnd: boolean): boolean => {
      const first = head;
      head = "";
      isBegun = true;
      outgoing.status = answer?.status ?? 200;
      if (framing === "by length") return outgoing.write(first, bytes);
      if (!listener.see) chunks.push(writeChunk(bytes));
      if (isEnd) chunks.push(writeEnd(reader.trailers()));
      const [only = NOTHING] = chunks;
      const all = chunks.length > 1 ? Buffer.concat(chunks) : only;
      chunks = [];
      return outgoing.write(first, all);
    };
    const finish = (isClean: boolean): void => {
      if (link && isClean && !answer?.isLast) {
        links.release(link);
        link = undefined;
      }
      settle();
      outgoing.finish();
    };

    const user = {
      onData(bytes: Buffer): boolean {
        try {
          reader.read(bytes);
        } catch (error) {
          // What was good until then is answered.
          if (answer && !isSettled) write(NOTHING, false);
          fail(error);
        }
        return outgoing.isTaken();
      },
      onDrain: () => {},
      onClose(error: NodeJS.ErrnoException | undefined): void {
        const isReused = link?.isReused;
        link = undefined;
        if (isSettled || (!error && reader.close())) return;
        // RFC 9112, section 9.3.1: the instance closed a resting connection at the moment that it was used again.
        const isClosed = !error || error.code === "ECONNRESET" || error.code === "EPIPE";
        if (isReused && isClosed && !answer && body.length === 0) ask();
        else fail(error);
      },
    };
    const ask = (): void => {
      links = linksTo(instance.port);
      reader = createAnswerReader(
        (text) => {
          headers = [];
          return readHead(text, method, (_, value, spelled) => {
            headers.push(spelled, value);
            return undefined;
          });
        },
        listener,
        MOST_ANSWER_HEAD,
      );
      links.take(user, (error, taken) => {
        if (error) return fail(error);
        link = taken;
        const { connection } = taken;
        if (body.length === 0) connection.write(sentHead, "latin1");
        else connection.write(sentHead + body.toString("latin1"), "latin1");
      });
    };

    const sent = requestHeaders(request, rawHeaders, trace);
    let lines = `${method} ${asked.path} HTTP/1.1\r\n`;
    for (let index = 0; index + 1 < sent.length; index += 2) lines += `${sent[index]}: ${sent[index + 1]}\r\n`;
    const isUnsaid = asked.length === undefined && !BODILESS.has(method);
    const sentHead = `${lines}Connection: keep-alive\r\n${isUnsaid ? "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" : "\r\n"}`;
    outgoing.hear({ onDrain: () => void link?.connection.resume(), onGone: () => settle() });
    ask();
  });
}
