import type { ApiClient } from "./client.ts";
import { CLOUD_STORAGE } from "./upload.ts";
import type { Build } from "../messages/build.ts";

interface LogOptions {
  readonly onLine: (line: string) => void;
  readonly onUnreadable: () => void;
}

/** Follows a build's log. Problems with the log are not errors: only the build itself tells whether it succeeded. */
export function followLog(client: ApiClient, build: Build, { onLine, onUnreadable }: LogOptions) {
  const url = logUrl(build);
  let offset = 0;
  let pending: Buffer = Buffer.alloc(0);
  let isUnreadable = url === undefined;
  if (isUnreadable) onUnreadable();
  const show = (text: Buffer) => text.toString("utf8").trimEnd().split("\n").forEach(onLine);

  return {
    async read(): Promise<void> {
      if (url === undefined || isUnreadable) return;
      const added = await readFrom(client, url, offset);
      if (added === "forbidden") {
        isUnreadable = true;
        onUnreadable();
      } else if (added) {
        offset += added.length;
        pending = Buffer.concat([pending, added]);
        // A line, and therefore a character, is shown once it is complete.
        const end = pending.lastIndexOf("\n") + 1;
        if (end > 0) show(pending.subarray(0, end));
        pending = pending.subarray(end);
      }
    },
    /** Shows the rest, after the build's end. */
    async finish(): Promise<void> {
      await this.read();
      if (pending.length > 0) show(pending);
    },
  };
}

/** The XML API's URL of the log, as gcloud reads it; undefined if the log is only in Cloud Logging (CLOUD_LOGGING_ONLY), or nowhere. */
function logUrl({ id, logsBucket, options }: Build): string | undefined {
  if (!logsBucket || options?.logging === "CLOUD_LOGGING_ONLY" || options?.logging === "NONE") return undefined;
  return `${CLOUD_STORAGE}/${logsBucket.replace(/^gs:\/\//, "").replace(/\/$/, "")}/log-${id}.txt`;
}

async function readFrom(client: ApiClient, url: string, offset: number): Promise<Buffer | "forbidden" | undefined> {
  try {
    const response = await client.send({ method: "GET", url, headers: [["Range", `bytes=${offset}-`]] });
    const bytes = await response.bytes();
    if (response.status === 206 || (response.status === 200 && offset === 0)) return bytes;
    // 404 until the first line is written, 416 until the next line is.
    return response.status === 401 || response.status === 403 ? "forbidden" : undefined;
  } catch {
    return undefined;
  }
}
