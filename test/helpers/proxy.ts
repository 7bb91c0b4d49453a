import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type RequestListener } from "node:http";
import { onTestFinished } from "vitest";
import { openCaller, serveService } from "./caller.ts";
import { runCli } from "./command-line.ts";

type Finished = Awaited<ReturnType<typeof runCli>>;

/** A proxy that runs in this process. */
export interface RunningProxy {
  readonly url: string;
  readonly port: number;
  /** Its output on stdout when it was ready. */
  readonly printed: string;
  /** Its output on stderr so far. */
  said(): string;
  /** Ends it like Ctrl-C. */
  stop(): Promise<Finished>;
}

/** Starts `proxy` on a free port until the test ends, which fails if the proxy has written a secret. */
export async function startProxy(
  flags: readonly string[],
  { env, cwd }: { readonly env: Readonly<Record<string, string>>; readonly cwd?: string },
): Promise<RunningProxy> {
  const end = new AbortController();
  let printed = "";
  let said = "";
  let finished: Promise<Finished> | undefined;
  const ready = new Promise<string>((resolve, reject) => {
    const onStdout = (piece: Buffer): void => {
      printed += piece.toString("utf8");
      const [url] = /http:\/\/[^"\s]+/.exec(printed) ?? [];
      if (url) resolve(url);
    };
    const onStderr = (piece: Buffer): void => void (said += piece.toString("utf8"));
    finished = runCli(["proxy", "--port", "0", ...flags], {
      env,
      signal: end.signal,
      onStdout,
      onStderr,
      ...(cwd !== undefined && { cwd }),
    });
    finished.then(({ stderr }) => reject(new Error(`The proxy has ended: ${stderr}`)), reject);
  });
  const stop = (): Promise<Finished> => {
    end.abort();
    return finished as Promise<Finished>;
  };
  onTestFinished(async () => void (await stop()));
  const url = await ready;
  return { url, port: Number(new URL(url).port), printed, said: () => said, stop };
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
