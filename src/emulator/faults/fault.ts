import * as v from "valibot";
import { ApiError } from "../server/errors.ts";

const WholeNumber = v.pipe(v.number(), v.integer(), v.minValue(0));

const FaultSchema = v.pipe(
  v.strictObject({
    match: v.pipe(v.string(), v.regex(/^[^\s/]*(\/\S*)?$/, "it is a host, a path or both, as run.googleapis.com/v1/**"), v.nonEmpty()),
    method: v.optional(v.pipe(v.string(), v.toUpperCase(), v.regex(/^[A-Z]+$/, "it is an HTTP method"))),
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
    "a fault has a status, a latency, a reset or a length to truncate to",
  ),
  v.check(
    ({ status, reset, truncate }) => [status, reset, truncate].filter((effect) => effect !== undefined).length < 2,
    "of status, reset and truncate a fault has one",
  ),
  v.check(({ status, reason }) => reason === undefined || status === 403, "a refusal by VPC Service Controls has the status 403"),
  v.check(({ status, retry_after }) => retry_after === undefined || status !== undefined, "retry_after goes with a status"),
);

/** A request to inject a fault, in the spelling of the emulator's admin API. */
export type FaultRequest = Readonly<v.InferOutput<typeof FaultSchema>>;

/** An active fault. `times` is how many more requests it affects; undefined for all. */
export type Fault = FaultRequest & {
  readonly id: number;
  /** How many requests it has affected. */
  readonly struck: number;
};

/** Parses a request to add a fault. Throws ApiError INVALID_ARGUMENT. */
export function parseFault(body: unknown): FaultRequest {
  const result = v.safeParse(FaultSchema, body);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw new ApiError("INVALID_ARGUMENT", `This is no fault: ${path === null ? "" : `${path}: `}${issue.message}.`);
}
