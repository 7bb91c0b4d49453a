import type { Build } from "../state/resources.ts";
import type { Runtime } from "../runtime.ts";
import { appendObject } from "../storage/objects.ts";

export interface BuildLog {
  write(text: string): void;
  close(): void;
}

/** Milliseconds for which text is gathered: an engine may write a line at a time, and each write is a change of the state. */
const GATHER = 100;

/** Opens the log object of a build, empty even where an earlier run of the build had begun it; who reads it by ranges sees it grow. */
export function openBuildLog(runtime: Pick<Runtime, "state" | "now" | "log">, build: Build): BuildLog {
  const { bucket, name } = logObject(build["logsBucket"] as string, build.id);
  const append = appendObject(runtime, { bucket, name, contentType: "text/plain" });
  let gathered = "";
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const text = gathered;
    gathered = "";
    try {
      if (text !== "") append(text);
    } catch (error) {
      // A build whose log finds no room is still a build.
      runtime.log(`gs://${bucket}/${name} could not be written: ${String(error)}`);
    }
  };
  return {
    write(text) {
      gathered += text;
      timer ??= setTimeout(flush, GATHER);
    },
    close: flush,
  };
}

/** Where a build's log goes: the bucket of a `gs://BUCKET/FOLDER`, and the object in it. */
export function logObject(logsBucket: string, id: string): { bucket: string; name: string } {
  const [bucket = "", ...folder] = logsBucket
    .replace(/^gs:\/\//, "")
    .replace(/\/$/, "")
    .split("/");
  return { bucket, name: [...folder, `log-${id}.txt`].join("/") };
}

/** Puts a step's number in front of each line, as Cloud Build does where there are several steps. */
export function prefixLines(prefix: string, write: (text: string) => void): (text: string) => void {
  let atStart = true;
  return (text) => {
    if (text === "") return;
    const body = text.endsWith("\n") ? text.slice(0, -1) : text;
    write((atStart ? prefix : "") + body.replaceAll("\n", `\n${prefix}`) + text.slice(body.length));
    atStart = text.endsWith("\n");
  };
}
