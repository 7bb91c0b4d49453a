import { stripVTControlCharacters } from "node:util";

interface Payload {
  readonly textPayload?: string;
  readonly jsonPayload?: Readonly<Record<string, unknown>>;
  readonly protoPayload?: Readonly<Record<string, unknown>>;
}

/** Formats an entry's payload: its message, followed by its other fields as JSON. */
export function formatPayload({ textPayload = "", jsonPayload, protoPayload }: Payload): string {
  if (!jsonPayload) return protoPayload ? JSON.stringify(protoPayload) : textPayload;
  const { message, ...others } = jsonPayload;
  const rest = Object.keys(others).length > 0 || message === undefined ? JSON.stringify(others) : "";
  return [typeof message === "string" ? message : message === undefined ? "" : JSON.stringify(message), rest].filter(Boolean).join("  ");
}

/** Removes what could move a terminal's cursor or change its colors from a text of unknown origin. */
export function stripControlCharacters(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it removes
  return stripVTControlCharacters(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}
