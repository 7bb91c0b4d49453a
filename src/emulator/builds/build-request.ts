import * as v from "valibot";
import { invalidArgument } from "../server/errors.ts";

const text = v.string();
const texts = v.array(text);
// At most a day: https://cloud.google.com/build/quotas
const duration = v.pipe(
  text,
  v.regex(/^\d+(\.\d+)?s$/, "must be a number of seconds, like 600s"),
  v.check((value) => parseDurationSeconds(value) <= 86400, "must be at most 86400s"),
);

const Step = v.looseObject({
  name: text,
  args: v.optional(texts, []),
  id: v.optional(text),
  dir: v.optional(text, ""),
  entrypoint: v.optional(text),
  script: v.optional(text),
});

const StorageSource = v.object({
  bucket: text,
  object: text,
  generation: v.optional(v.pipe(v.union([text, v.number()]), v.transform(String))),
});

const Request = v.object({
  source: v.optional(v.object({ storageSource: StorageSource })),
  steps: v.pipe(v.array(Step), v.minLength(1)),
  images: v.optional(texts, []),
  tags: v.optional(texts),
  timeout: v.optional(duration, "600s"),
  queueTtl: v.optional(duration, "3600s"),
  logsBucket: v.optional(text),
  substitutions: v.optional(v.record(text, text)),
  options: v.optional(v.looseObject({})),
  serviceAccount: v.optional(text),
  artifacts: v.optional(v.object({ images: v.optional(texts, []) })),
});

export type BuildStep = v.InferOutput<typeof Step>;
export type StorageSource = v.InferOutput<typeof StorageSource>;

export type BuildRequest = Omit<v.InferOutput<typeof Request>, "artifacts">;

/** Parses the Build message of a create request. Throws ApiError INVALID_ARGUMENT that names the field. */
export function parseBuildRequest(body: Readonly<Record<string, unknown>>): BuildRequest {
  const parsed = v.safeParse(Request, body);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const path = v.getDotPath(issue) ?? "build";
    if (path === "steps") throw invalidArgument("invalid build: no build steps are specified");
    if (path === "source.storageSource")
      throw invalidArgument("invalid build: the emulator supports only sources in Cloud Storage (source.storageSource)");
    throw invalidArgument(`invalid build: invalid value for "${path}": ${issue.message}`);
  }
  const { artifacts, ...request } = parsed.output;
  return { ...request, images: [...new Set([...request.images, ...(artifacts?.images ?? [])])] };
}

/** The seconds of a duration in Google's format: `600s`. */
export function parseDurationSeconds(duration: string): number {
  return Number(duration.slice(0, -1));
}
