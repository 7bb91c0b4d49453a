import { invalidArgument } from "../server/errors.ts";
import { isObject } from "../server/json.ts";
import type { Message } from "./annotation-fields.ts";
import { camelizeName } from "./service-schema.ts";

/**
 * Copies the fields of a mask from an update to a message, and clears those that the update lacks. Without a mask, returns the update.
 * https://protobuf.dev/reference/protobuf/google.protobuf/#field-mask
 */
export function applyMask(current: Message, update: Message, mask: string | null): Message {
  if (!mask || mask === "*") return update;
  return mask.split(",").reduce((message, path) => {
    const segments = path.trim().split(".").map(camelizeName);
    if (segments.some((segment) => !/^\w+$/.test(segment)))
      throw invalidArgument(`Invalid value at 'updateMask': '${path}' isn't a field path.`);
    return copyField(message, update, segments);
  }, current);
}

function copyField(message: Message, update: Message, [name = "", ...rest]: readonly string[]): Message {
  const { [name]: current, ...others } = message;
  const updated = update[name];
  if (rest.length === 0) return updated === undefined ? others : { ...others, [name]: updated };
  return { ...others, [name]: copyField(isObject(current) ? current : {}, isObject(updated) ? updated : {}, rest) };
}
