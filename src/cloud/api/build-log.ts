import type { ApiClient } from "./client.ts";
import { CLOUD_STORAGE } from "./upload.ts";
import { lastLogLines, type Build } from "../messages/build.ts";

/** Bytes. */
const END = 8 * 1024;

interface LogOptions {
  /** Takes whole lines, as they are written. */
  readonly show: (text: string) => void;
  /** Called once, where the log may not be read; the build goes on. */
  readonly miss: () => void;
}

/** Follows a build's log. Nothing that happens to the log is an error: what the build comes to is told by the build alone. */
export function followLog(client: ApiClient, build: Build, { show, miss }: LogOptions) {
  const url = logObject(build);
  let offset = 0;
  let held: Buffer = Buffer.alloc(0);
  let isMissing = url === undefined;
  if (isMissing) miss();

  return {
    /** Shows the lines that have been added. */
    async read(): Promise<void> {
      if (url === undefined || isMissing) return;
      const added = await readFrom(client, url, `bytes=${offset}-`, offset);
      if (added === "forbidden") {
        isMissing = true;
        miss();
      } else if (added) {
        offset += added.length;
        held = Buffer.concat([held, added]);
        // A line, and so a character, is shown when it is there whole.
        const end = held.lastIndexOf("\n") + 1;
        if (end > 0) show(held.subarray(0, end).toString("utf8").trimEnd());
        held = held.subarray(end);
      }
    },
    /** Shows what is left, at the build's end. */
    async finish(): Promise<void> {
      await this.read();
      if (held.length > 0) show(held.toString("utf8").trimEnd());
    },
  };
}

/** The last lines of a build's log; undefined where it is not to be had. */
export async function readLogEnd(client: ApiClient, build: Build): Promise<string | undefined> {
  const url = logObject(build);
  const bytes = url === undefined ? undefined : await readFrom(client, url, `bytes=-${END}`, 0);
  return bytes === undefined || bytes === "forbidden" ? undefined : lastLogLines(bytes.toString("utf8"));
}

/** The XML API's address of the log, as gcloud reads it; undefined where it is in Cloud Logging alone (CLOUD_LOGGING_ONLY), or nowhere. */
function logObject({ id, logsBucket, options }: Build): string | undefined {
  if (!logsBucket || options?.logging === "CLOUD_LOGGING_ONLY" || options?.logging === "NONE") return undefined;
  return `${CLOUD_STORAGE}/${logsBucket.replace(/^gs:\/\//, "").replace(/\/$/, "")}/log-${id}.txt`;
}

async function readFrom(client: ApiClient, url: string, range: string, offset: number): Promise<Buffer | "forbidden" | undefined> {
  try {
    const response = await client.send({ method: "GET", url, headers: [["Range", range]] });
    const bytes = await response.bytes();
    if (response.status === 206 || (response.status === 200 && offset === 0)) return bytes;
    // 404 until the first line is written, 416 until the next one is.
    return response.status === 401 || response.status === 403 ? "forbidden" : undefined;
  } catch {
    return undefined;
  }
}
