/** A response that isn't HTTP/1.1, or that two readers could read differently. */
export class MalformedResponse extends Error {
  override readonly name = "MalformedResponse";
  readonly code = "NOT_HTTP";
  override readonly message = "the response isn't HTTP";
}
