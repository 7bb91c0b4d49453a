import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { HttpError } from "./errors.ts";
import type { HttpResponse } from "./http-response.ts";
import type { Router } from "./router.ts";

/** Writes down which of Google's APIs are called, and how they are answered. */
export interface Recorder {
  wrap(router: Router): Router;
  close(): void;
}

/**
 * Appends to a file (0600) a line of JSON for every request to a Google API: `{time, method, url, status, duration_ms, answer}`. `answer` is there
 * where the body is JSON, and has of each value the type alone: no key, no token and nothing of a user's gets into the file. `url` is without the
 * query for the same reason. Throws Node's error where the file cannot be written.
 */
export function openRecorder(file: string, now: () => number): Recorder {
  mkdirSync(dirname(file), { recursive: true });
  const descriptor = openSync(file, "a", 0o600);
  let isOpen = true;
  const write = (line: object): void => {
    if (isOpen) writeSync(descriptor, `${JSON.stringify(line)}\n`);
  };
  return {
    wrap: (router) => async (request, host, url) => {
      const started = performance.now();
      const time = new Date(now()).toISOString();
      const note = (status: number, answer?: unknown): void =>
        write({
          time,
          method: request.method,
          url: `https://${host}${url.pathname}`,
          status,
          duration_ms: Math.round(performance.now() - started),
          answer,
        });
      try {
        const reply = await router(request, host, url);
        note(reply.status, readShape(reply));
        return reply;
      } catch (error) {
        note(error instanceof HttpError ? error.toResponse().status : 500);
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

/** A value with types in the place of what it holds; of a list's items each shape once. What a message says of its own type stays. */
export function describeShape(value: unknown): unknown {
  if (value === null) return "null";
  if (Array.isArray(value)) {
    const shapes = new Map(value.map((item) => describeShape(item)).map((shape) => [JSON.stringify(shape), shape]));
    return [...shapes.values()];
  }
  if (typeof value !== "object") return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, name === "@type" ? member : describeShape(member)]));
}
