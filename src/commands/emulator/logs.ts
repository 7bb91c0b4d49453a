import type { LogEntry } from "../../cloud/logs.ts";
import type { Context } from "../../context/context.ts";
import { requireEmulator, sendToEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";
import type { Response } from "../../http/request.ts";
import { formatEntry } from "../logs/format-entry.ts";

interface LogsOptions extends EmulatorFlags {
  readonly follow?: boolean;
  readonly severity?: string;
  readonly limit?: number;
}

/** Shows the log entries of the emulator's services, the latest last; with `--follow` also new ones, until Ctrl-C. */
export async function emulatorLogs(context: Context, service: string | undefined, options: LogsOptions): Promise<void> {
  const { terminal, signal } = context;
  const { follow, severity, limit } = options;
  const running = await requireEmulator(context, options);
  const query = new URLSearchParams({
    ...(service !== undefined && { service }),
    ...(severity !== undefined && { severity }),
    ...(limit !== undefined && { limit: String(limit) }),
    ...(follow && { follow: "true" }),
  });
  try {
    const response = await sendToEmulator(context, running, { method: "GET", path: `/_emulator/logs?${query}` });
    const entries: LogEntry[] = [];
    for await (const line of readLines(response)) {
      const entry = JSON.parse(line) as LogEntry;
      entries.push(entry);
      if (!terminal.json) terminal.print(`${formatEntry(entry, { style: terminal.style, service })}\n`);
      else if (follow) terminal.print(`${line}\n`);
    }
    if (terminal.json && !follow) return terminal.printJson(entries);
    if (entries.length === 0) terminal.note("No log entries found.");
  } catch (error) {
    // Ctrl-C ends --follow without an error.
    if (!(follow && signal.aborted)) throw error;
  }
}

/** Yields the lines of a response as they arrive. */
async function* readLines({ body }: Response): AsyncGenerator<string> {
  let pending = "";
  body.setEncoding("utf8");
  for await (const chunk of body as AsyncIterable<string>) {
    const lines = (pending + chunk).split("\n");
    pending = lines.pop() ?? "";
    yield* lines;
  }
}
