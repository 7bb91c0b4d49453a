import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { requireEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";
import { formatPayload } from "../logs/format-payload.ts";
import type { Response } from "../../http/request.ts";

interface LogsOptions extends EmulatorFlags {
  readonly follow?: boolean;
  readonly severity?: string;
  readonly limit?: number;
}

/** The parts of Cloud Logging's LogEntry that are shown; the JSON has all of it. */
interface LogEntry {
  readonly timestamp: string;
  readonly severity?: string;
  readonly resource: { readonly labels: { readonly service_name?: string; readonly revision_name?: string } };
  readonly textPayload?: string;
  readonly jsonPayload?: Readonly<Record<string, unknown>>;
  readonly httpRequest?: {
    readonly requestMethod?: string;
    readonly requestUrl?: string;
    readonly status?: number;
    readonly latency?: string;
  };
}

/** Shows the log entries of the emulator's services, the latest last; with `--follow` also new ones, until Ctrl-C. */
export async function emulatorLogs(context: Context, service: string | undefined, options: LogsOptions): Promise<void> {
  const { terminal, signal } = context;
  const { url } = await requireEmulator(context, options);
  const query = new URLSearchParams({
    ...(service !== undefined && { service }),
    ...(options.severity !== undefined && { severity: options.severity }),
    ...(options.limit !== undefined && { limit: String(options.limit) }),
    ...(options.follow && { follow: "true" }),
  });
  try {
    const response = await context.send({ method: "GET", url: `${url}/_emulator/logs?${query}` });
    if (response.status !== 200) throw await readError(response);
    const entries: unknown[] = [];
    for await (const line of readLines(response)) {
      if (!terminal.json) terminal.print(`${formatEntry(JSON.parse(line) as LogEntry)}\n`);
      else if (options.follow) terminal.print(`${line}\n`);
      else entries.push(JSON.parse(line));
    }
    if (terminal.json && !options.follow) terminal.printJson(entries);
  } catch (error) {
    // Ctrl-C ends --follow without an error.
    if (!(options.follow && signal.aborted)) throw error;
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

async function readError(response: Response): Promise<CliError> {
  const { error } = (await response.json()) as { error?: { message: string } };
  return new CliError(response.status === 400 ? "USAGE" : "EMULATOR_FAILED", error?.message ?? `The emulator answered ${response.status}.`);
}

function formatEntry(entry: LogEntry): string {
  const { service_name = "", revision_name = service_name } = entry.resource.labels;
  const text = [formatRequest(entry), formatPayload(entry)].filter(Boolean).join("  ");
  return `${entry.timestamp.slice(0, 23).replace(/Z$/, "").padEnd(23)}  ${(entry.severity ?? "DEFAULT").padEnd(8)}  ${revision_name}  ${text}`;
}

function formatRequest({ httpRequest }: LogEntry): string {
  if (!httpRequest) return "";
  const { requestMethod = "", status = "", requestUrl = "", latency } = httpRequest;
  const duration = latency === undefined ? "" : ` ${Math.round(Number.parseFloat(latency) * 1000)} ms`;
  return `${requestMethod} ${status}${duration} ${requestUrl}`;
}
