/** Why a call got no instance. The front door answers with this status and text: https://cloud.google.com/run/docs/troubleshooting */
export class InstanceError extends Error {
  override readonly name: string = "InstanceError";
  readonly status: 429 | 500;

  constructor(status: 429 | 500, message: string) {
    super(message);
    this.status = status;
  }
}

/** An instance that did not start. */
export class StartupError extends InstanceError {
  override readonly name = "StartupError";
  /** One word for the conditions of the revision. */
  readonly reason: string;
  /** What the conditions of the revision say. */
  readonly explanation: string;

  constructor(reason: string, explanation: string) {
    super(500, "The request failed because the instance could not start successfully.");
    this.reason = reason;
    this.explanation = explanation;
  }
}
