/** Why a call got no instance. The front door responds with this status and text: https://cloud.google.com/run/docs/troubleshooting */
export class InstanceError extends Error {
  override readonly name: string = "InstanceError";
  readonly status: 429 | 500;

  constructor(status: 429 | 500, message: string) {
    super(message);
    this.status = status;
  }
}

export class StartupError extends InstanceError {
  override readonly name = "StartupError";
  readonly reason: string;
  readonly explanation: string;

  constructor(reason: string, explanation: string) {
    super(500, "The request failed because the instance could not start successfully.");
    this.reason = reason;
    this.explanation = explanation;
  }
}
