import { randomUUID } from "node:crypto";
import { basename, resolve } from "node:path";
import { Readable } from "node:stream";
import { CliError } from "../errors/cli-error.ts";
import { createBody, type CallBody } from "./body.ts";
import { openInput, type BodySource, type Input } from "./input-file.ts";

/** The body for `--data-urlencode`, one `name=value` each. Throws CliError USAGE. */
export function readUrlencoded(fields: readonly string[]): CallBody {
  const pairs = fields.map((field) => split(field, "--data-urlencode name=value"));
  return {
    body: Buffer.from(String(new URLSearchParams(pairs))),
    headers: [["Content-Type", "application/x-www-form-urlencoded"]],
  };
}

/**
 * The body for `-F`, one `name=value`, `name=@FILE` or `name=@FILE;type=TYPE` each: multipart/form-data (RFC 7578). Files are read while
 * they are sent, unless the whole body is small. Throws CliError NOT_FOUND, USAGE.
 */
export async function readForm(fields: readonly string[], { cwd }: Pick<BodySource, "cwd">): Promise<CallBody> {
  const boundary = `cloudrun-oauth-${randomUUID()}`;
  const inputs: Input[] = [];
  for (const field of fields) {
    const [name, value] = split(field, "-F name=value or -F name=@FILE");
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escape(name)}"`;
    if (!value.startsWith("@")) {
      inputs.push(text(`${head}\r\n\r\n${value}\r\n`));
      continue;
    }
    const [, file = "", type = "application/octet-stream"] = /^@(.*?)(?:;type=([^;/\s]+\/[^;/\s]+))?$/s.exec(value) ?? [];
    const input = await openInput(resolve(cwd, file));
    inputs.push(text(`${head}; filename="${escape(basename(file))}"\r\nContent-Type: ${type}\r\n\r\n`), input, text("\r\n"));
  }
  inputs.push(text(`--${boundary}--\r\n`));
  const sizeBytes = inputs.reduce<number | undefined>(
    (sum, input) => (sum === undefined || input.sizeBytes === undefined ? undefined : sum + input.sizeBytes),
    0,
  );
  return createBody({ chunks: join(inputs), sizeBytes }, `multipart/form-data; boundary=${boundary}`);
}

function split(field: string, usage: string): [name: string, value: string] {
  const equals = field.indexOf("=");
  if (equals < 1) throw new CliError("USAGE", "Invalid form field.", { hint: `Use the format ${usage}.` });
  return [field.slice(0, equals), field.slice(equals + 1)];
}

/** https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data */
function escape(name: string): string {
  return name.replaceAll("\n", "%0A").replaceAll("\r", "%0D").replaceAll('"', "%22");
}

function text(value: string): Input {
  const bytes = Buffer.from(value);
  return { chunks: Readable.from([bytes]), sizeBytes: bytes.length };
}

async function* join(inputs: readonly Input[]): AsyncGenerator<Buffer> {
  for (const { chunks } of inputs) for await (const chunk of chunks) yield Buffer.from(chunk);
}
