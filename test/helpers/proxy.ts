import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type RequestListener } from "node:http";
import { onTestFinished } from "vitest";
import { openCaller, serveService } from "./caller.ts";
import { runCli } from "./command-line.ts";

/** Starts `proxy` in this process, on a free port, until the test ends, which fails if the proxy has written a secret. */
export async function startProxy(
  flags: readonly string[],
  { env, cwd }: { readonly env: Readonly<Record<string, string>>; readonly cwd?: string },
) {
  const end = new AbortController();
  let printed = "";
  let said = "";
  const { url, finished } = await new Promise<{ url: string; finished: ReturnType<typeof runCli> }>((resolve, reject) => {
    const finished = runCli(["proxy", "--port", "0", ...flags], {
      env,
      ...(cwd !== undefined && { cwd }),
      signal: end.signal,
      onStdout(piece) {
        printed += piece.toString("utf8");
        const [url] = /http:\/\/[^"\s]+/.exec(printed) ?? [];
        if (url) resolve({ url, finished });
      },
      onStderr: (piece) => void (said += piece.toString("utf8")),
    });
    finished.then(({ stderr }) => reject(new Error(`The proxy has ended: ${stderr}`)), reject);
  });
  /** Ends it like Ctrl-C. */
  const stop = () => {
    end.abort();
    return finished;
  };
  onTestFinished(async () => void (await stop()));
  return {
    url,
    port: Number(new URL(url).port),
    /** Its output on stdout when it was ready. */
    printed,
    /** Its output on stderr so far. */
    said: () => said,
    stop,
  };
}

/** Starts a service, unless its URL is given, and a proxy for it, whose tokens are signed by the emulator's keys. */
export async function proxyTo(target: RequestListener | string, ...flags: readonly string[]) {
  const service = typeof target === "string" ? target : await serveService(target);
  const { environment, home } = await openCaller();
  return { service, ...(await startProxy(["--url", service, ...flags], { env: environment, cwd: home })) };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Sends a request with exactly these headers, and returns the response when its head has arrived. */
export function begin(url: string, { method = "GET", headers = {}, body }: Call = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
    const request = httpRequest(url, { method, headers: { ...length, ...headers }, agent: false }, resolve);
    request.on("error", reject);
    request.end(body);
  });
}

/** Sends a request, and returns the complete response. */
export async function call(url: string, options?: Call): Promise<Answer> {
  const answer = await begin(url, options);
  const chunks: Buffer[] = await answer.toArray();
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString("utf8") };
}
