import * as v from "valibot";
import { invalidArgument } from "../server/errors.ts";

const WholeNumber = v.pipe(v.number(), v.integer(), v.minValue(0));

const FaultSchema = v.pipe(
  v.strictObject({
    match: v.pipe(
      v.string(),
      v.regex(/^[^\s/]*(\/\S*)?$/, "must be a host, a path, or both, such as run.googleapis.com/v1/**"),
      v.nonEmpty(),
    ),
    method: v.optional(v.pipe(v.string(), v.toUpperCase(), v.regex(/^[A-Z]+$/, "must be an HTTP method"))),
    status: v.optional(v.pipe(WholeNumber, v.minValue(400), v.maxValue(599))),
    retry_after: v.optional(WholeNumber),
    reason: v.optional(v.literal("VPC_SERVICE_CONTROLS")),
    latency_ms: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(3_600_000))),
    reset: v.optional(v.literal(true)),
    truncate: v.optional(WholeNumber),
    times: v.optional(v.pipe(WholeNumber, v.minValue(1))),
  }),
  v.check(
    ({ status, reset, truncate, latency_ms }) => [status, reset, truncate, latency_ms].some((effect) => effect !== undefined),
    "one of status, latency_ms, reset, and truncate is required",
  ),
  v.check(
    ({ status, reset, truncate }) => [status, reset, truncate].filter((effect) => effect !== undefined).length < 2,
    "status, reset, and truncate can't be combined",
  ),
  v.check(({ status, reason }) => reason === undefined || status === 403, "VPC_SERVICE_CONTROLS requires the status 403"),
  v.check(({ status, retry_after }) => retry_after === undefined || status !== undefined, "retry_after requires a status"),
);

/** A request to inject a fault, in the spelling of the emulator's admin API. */
export type FaultRequest = Readonly<v.InferOutput<typeof FaultSchema>>;

/** An active fault. `times` is how many more requests it affects; undefined for all. */
export type Fault = FaultRequest & {
  readonly id: number;
  readonly struck: number;
};

/** Parses a request to add a fault. Throws ApiError INVALID_ARGUMENT. */
export function parseFault(body: unknown): FaultRequest {
  const result = v.safeParse(FaultSchema, body);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw invalidArgument(`Invalid fault: ${path === null ? "" : `${path}: `}${issue.message}.`);
}
