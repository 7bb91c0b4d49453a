import { stripVTControlCharacters } from "node:util";

interface Payload {
  readonly textPayload?: string;
  readonly jsonPayload?: Readonly<Record<string, unknown>>;
  readonly protoPayload?: Readonly<Record<string, unknown>>;
}

/** What an entry says, as a text: its message, and what else there is behind it as JSON. */
export function showPayload({ textPayload = "", jsonPayload, protoPayload }: Payload): string {
  if (!jsonPayload) return protoPayload ? JSON.stringify(protoPayload) : textPayload;
  const { message, ...others } = jsonPayload;
  const rest = Object.keys(others).length > 0 || message === undefined ? JSON.stringify(others) : "";
  return [typeof message === "string" ? message : message === undefined ? "" : JSON.stringify(message), rest].filter(Boolean).join("  ");
}

/** A text that somebody else wrote, without what would move a terminal's cursor or change its colours. */
export function withoutControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return stripVTControlCharacters(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}
