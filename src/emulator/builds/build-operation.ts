import type { Build } from "../state/resources.ts";
import { isFinished } from "./builds.ts";

/** A build's long-running operation: https://cloud.google.com/build/docs/api/reference/rest/v1/operations */
export function buildOperation(build: Build): object {
  const name = `operations/build/${build.projectId}/${Buffer.from(build.id).toString("base64")}`;
  const metadata = { "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata", build };
  if (!isFinished(build)) return { name, metadata };
  if (build.status === "SUCCESS")
    return { name, metadata, done: true, response: { "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.Build", ...build } };
  // https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
  const code = { CANCELLED: 1, TIMEOUT: 4, INTERNAL_ERROR: 13 }[build.status] ?? 2;
  return { name, metadata, done: true, error: { code, message: build["statusDetail"] ?? `Build ${build.status}` } };
}
