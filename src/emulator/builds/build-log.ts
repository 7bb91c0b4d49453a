import type { Build } from "../state/resources.ts";
import type { Runtime } from "../runtime.ts";
import { appendObject } from "../storage/objects.ts";

export interface BuildLog {
  write(text: string): void;
  close(): void;
}

/** Text is buffered: an engine can write line by line, and each write changes the state. */
const FLUSH_DELAY_MS = 100;

/** Opens a build's log object, and empties it if the build started before; range requests see it grow. */
export function openBuildLog(runtime: Pick<Runtime, "state" | "now" | "log">, build: Build): BuildLog {
  const { bucket, name } = logObject(build["logsBucket"] as string, build.id);
  const append = appendObject(runtime, { bucket, name, contentType: "text/plain" });
  let buffered = "";
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const text = buffered;
    buffered = "";
    try {
      if (text !== "") append(text);
    } catch (error) {
      // A full disk loses the log, not the build.
      runtime.log(`Couldn't write gs://${bucket}/${name}: ${String(error)}`);
    }
  };
  return {
    write(text) {
      buffered += text;
      timer ??= setTimeout(flush, FLUSH_DELAY_MS);
    },
    close: flush,
  };
}

/** The bucket and object of a build's log, for a logs bucket like `gs://BUCKET/FOLDER`. */
export function logObject(logsBucket: string, id: string): { bucket: string; name: string } {
  const [bucket = "", ...folder] = logsBucket
    .replace(/^gs:\/\//, "")
    .replace(/\/$/, "")
    .split("/");
  return { bucket, name: [...folder, `log-${id}.txt`].join("/") };
}

/** Prefixes each line with a step's number, as Cloud Build does if there are several steps. */
export function prefixLines(prefix: string, write: (text: string) => void): (text: string) => void {
  let atStart = true;
  return (text) => {
    if (text === "") return;
    const body = text.endsWith("\n") ? text.slice(0, -1) : text;
    write((atStart ? prefix : "") + body.replaceAll("\n", `\n${prefix}`) + text.slice(body.length));
    atStart = text.endsWith("\n");
  };
}
