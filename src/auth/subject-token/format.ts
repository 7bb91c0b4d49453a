import { openFieldReader, type FieldReader } from "../field-reader.ts";
import { parseJsonObject } from "../json-object.ts";

/** Extracts the token from a source's text; undefined if it isn't there. */
type ExtractToken = (text: string) => string | undefined;

/** Reads a source's `format`: the token is either the whole text or a field of a JSON object. */
export function readTokenFormat(source: FieldReader, subject: string): ExtractToken {
  const format = source.optionalObject("format");
  if (!format) return plain;
  const fields = openFieldReader(format, subject, "See https://google.aip.dev/auth/4117.", "credential_source.format.");
  const type = fields.optionalText("type") ?? "text";
  if (type === "text") return plain;
  if (type !== "json") throw source.invalid("has an invalid credential_source.format.type: expected text or json");
  const name = fields.text("subject_token_field_name");
  return (text) => fieldOf(text, name);
}

function plain(text: string): string | undefined {
  return text.trim() || undefined;
}

function fieldOf(text: string, name: string): string | undefined {
  const fields = parseJsonObject(text) ?? {};
  const token = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof token === "string" && token !== "" ? token : undefined;
}
