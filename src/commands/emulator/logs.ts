import type { Context } from "../../context/context.ts";
import { CliError } from "../../errors/cli-error.ts";
import { requireEmulator, type EmulatorFlags } from "../../context/emulator-client.ts";
import { showPayload } from "../logs/format-payload.ts";
import type { Response } from "../../http/request.ts";

interface LogsOptions extends EmulatorFlags {
  readonly follow?: boolean;
  readonly severity?: string;
  readonly limit?: number;
}

/** Of Cloud Logging's LogEntry what is shown; the JSON has all of it. */
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

/** Shows the log entries of the emulator's services, the latest last; with `--follow` also those to come, until the run is told to end. */
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
    const answer = await context.send({ method: "GET", url: `${url}/_emulator/logs?${query}` });
    if (answer.status !== 200) throw await refusal(answer);
    const kept: unknown[] = [];
    for await (const line of readLines(answer)) {
      if (!terminal.json) terminal.print(`${show(JSON.parse(line) as LogEntry)}\n`);
      else if (options.follow) terminal.print(`${line}\n`);
      else kept.push(JSON.parse(line));
    }
    if (terminal.json && !options.follow) terminal.printJson(kept);
  } catch (error) {
    // What is followed ends when it is told to: that is no failure.
    if (!(options.follow && signal.aborted)) throw error;
  }
}

/** The whole lines of an answer, each as soon as it is there. */
async function* readLines({ body }: Response): AsyncGenerator<string> {
  let pending = "";
  body.setEncoding("utf8");
  for await (const chunk of body as AsyncIterable<string>) {
    const lines = (pending + chunk).split("\n");
    pending = lines.pop() ?? "";
    yield* lines;
  }
}

async function refusal(answer: Response): Promise<CliError> {
  const { error } = (await answer.json()) as { error?: { message: string } };
  return new CliError(answer.status === 400 ? "USAGE" : "EMULATOR_FAILED", error?.message ?? `The emulator answered ${answer.status}.`);
}

function show(entry: LogEntry): string {
  const { service_name = "", revision_name = service_name } = entry.resource.labels;
  const said = [showRequest(entry), showPayload(entry)].filter(Boolean).join("  ");
  return `${entry.timestamp.slice(0, 23).replace(/Z$/, "").padEnd(23)}  ${(entry.severity ?? "DEFAULT").padEnd(8)}  ${revision_name}  ${said}`;
}

function showRequest({ httpRequest }: LogEntry): string {
  if (!httpRequest) return "";
  const { requestMethod = "", status = "", requestUrl = "", latency } = httpRequest;
  const milliseconds = latency === undefined ? "" : ` ${Math.round(Number.parseFloat(latency) * 1000)} ms`;
  return `${requestMethod} ${status}${milliseconds} ${requestUrl}`;
}
