import { ApiError } from "../server/errors.ts";
import type { Message } from "./annotation-fields.ts";
import { camelizeName } from "./request.ts";

/**
 * A message with the fields that a mask names taken from an update, and cleared where that does not have them; the update as it is where there is no mask:
 * https://protobuf.dev/reference/protobuf/google.protobuf/#field-mask
 */
export function applyMask(current: Message, update: Message, mask: string | null): Message {
  if (!mask || mask === "*") return update;
  return mask.split(",").reduce((message, path) => {
    const segments = path.trim().split(".").map(camelizeName);
    if (segments.some((segment) => !/^\w+$/.test(segment)))
      throw new ApiError("INVALID_ARGUMENT", `Invalid value at 'updateMask': '${path}' is no path of fields.`);
    return copyField(message, update, segments);
  }, current);
}

function copyField(message: Message, update: Message, [name = "", ...rest]: readonly string[]): Message {
  const { [name]: known, ...others } = message;
  const wanted = update[name];
  if (rest.length === 0) return wanted === undefined ? others : { ...others, [name]: wanted };
  return { ...others, [name]: copyField(asMessage(known), asMessage(wanted), rest) };
}

function asMessage(value: unknown): Message {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Message) : {};
}
