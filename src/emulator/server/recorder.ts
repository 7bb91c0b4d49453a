import { closeSync, openSync, writeSync } from "node:fs";
import { HttpError } from "./errors.ts";
import type { HttpResponse } from "./http-response.ts";
import type { Router } from "./router.ts";

/** Records which Google API methods clients call, and how the emulator answers: the test suite compares it with Google's API descriptions. */
export interface Recorder {
  wrap(router: Router): Router;
  close(): void;
}

/**
 * Appends a line of JSON to a file (0600) for every request to a Google API: `{method, url, status, answer}`. `answer` has the type of each
 * value of a JSON body instead of the value, and `url` has no query, so that no key, token, or user data gets into the file. Throws as the
 * file system does.
 */
export function openRecorder(file: string): Recorder {
  const descriptor = openSync(file, "a", 0o600);
  let isOpen = true;
  const write = (line: object): void => {
    if (isOpen) writeSync(descriptor, `${JSON.stringify(line)}\n`);
  };
  return {
    wrap: (router) => async (request, host, target) => {
      const { method } = request;
      const url = `https://${host}${target.pathname}`;
      try {
        const reply = await router(request, host, target);
        write({ method, url, status: reply.status, answer: readShape(reply) });
        return reply;
      } catch (error) {
        write({ method, url, status: error instanceof HttpError ? error.toResponse().status : 500 });
        throw error;
      }
    },
    close() {
      isOpen = false;
      closeSync(descriptor);
    },
  };
}

function readShape({ body, headers }: HttpResponse): unknown {
  if (typeof body !== "string" || !headers["content-type"]?.startsWith("application/json")) return undefined;
  return describeShape(JSON.parse(body));
}

/** A value's shape: types instead of values, each shape of an array's items once. `@type`, which names a message's type, keeps its value. */
export function describeShape(value: unknown): unknown {
  if (value === null) return "null";
  if (Array.isArray(value)) {
    const shapes = new Map(value.map((item) => describeShape(item)).map((shape) => [JSON.stringify(shape), shape]));
    return [...shapes.values()];
  }
  if (typeof value !== "object") return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, name === "@type" ? member : describeShape(member)]));
}
