import { redact } from "../errors/redact.ts";
import type { NextStep } from "../errors/next-step.ts";
import { invalidCredentials } from "./service-account-key.ts";
import { isJsonObject, type JsonObject } from "./json-object.ts";

/** Reads the fields of a credential file. Errors never quote a value, which can be a secret in the wrong field. */
export interface FieldReader {
  /** Not empty. */
  text(name: string): string;
  optionalText(name: string): string | undefined;
  /** A text that can be shown: it matches the pattern, and isn't a key or token in the wrong field. */
  public(name: string, pattern: RegExp): string;
  url(name: string): URL;
  optionalUrl(name: string): string | undefined;
  object(name: string): JsonObject;
  optionalObject(name: string): JsonObject | undefined;
  optionalNumber(name: string): number | undefined;
  optionalTexts(name: string): readonly string[];
  /** The error for a fault in the file. */
  invalid(fault: string): Error;
}

const MAX_SHOWN_LENGTH = 1024;

/** `subject` begins the sentence of an error ("Credential file /path"); `help` says how to create a valid file. */
export function openFieldReader(fields: JsonObject, subject: string, help: string | NextStep, within = ""): FieldReader {
  const invalid = (fault: string) => invalidCredentials(subject, fault, help);
  const wrong = (name: string, expected: string) => invalid(`has an invalid "${within}${name}": expected ${expected}`);
  const fieldValue = (name: string): unknown => (Object.hasOwn(fields, name) ? (fields[name] ?? undefined) : undefined);
  const optionalText = (name: string) => {
    const value = fieldValue(name);
    if (value === undefined || value === "") return undefined;
    if (typeof value !== "string") throw wrong(name, "text");
    return value;
  };
  const text = (name: string) => {
    const value = optionalText(name);
    if (value === undefined || value.trim() === "") throw invalid(`has no "${within}${name}"`);
    return value;
  };
  const asUrl = (name: string, value: string) => {
    if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) throw wrong(name, "a URL");
    return new URL(value);
  };
  return {
    text,
    optionalText,
    public(name, pattern) {
      const value = text(name);
      if (pattern.test(value) && redact(value) === value && value.length <= MAX_SHOWN_LENGTH) return value;
      throw invalid(`has an invalid "${within}${name}"`);
    },
    url: (name) => asUrl(name, text(name)),
    optionalUrl(name) {
      const value = optionalText(name);
      return value === undefined ? undefined : asUrl(name, value).href;
    },
    object(name) {
      const value = fieldValue(name);
      if (!isJsonObject(value)) throw wrong(name, "an object");
      return value;
    },
    optionalObject(name) {
      const value = fieldValue(name);
      if (value === undefined || isJsonObject(value)) return value;
      throw wrong(name, "an object");
    },
    optionalNumber(name) {
      const value = fieldValue(name);
      if (value === undefined || typeof value === "number") return value;
      throw wrong(name, "a number");
    },
    optionalTexts(name) {
      const value = fieldValue(name) ?? [];
      if (Array.isArray(value) && value.every((text) => typeof text === "string")) return value as string[];
      throw wrong(name, "a list of strings");
    },
    invalid,
  };
}
