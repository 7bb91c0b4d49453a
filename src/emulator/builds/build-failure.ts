/** Why a build failed: https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#failureinfo */
export type FailureType = "PUSH_FAILED" | "PUSH_IMAGE_NOT_FOUND" | "USER_BUILD_STEP" | "FETCH_SOURCE_FAILED";

/** Ends a build as a FAILURE; the message is its statusDetail and ends its log. */
export class BuildFailure extends Error {
  override readonly name = "BuildFailure";
  readonly type: FailureType;

  constructor(type: FailureType, message: string) {
    super(message);
    this.type = type;
  }
}
