import { HttpError } from "../server/errors.ts";
import { jsonResponse, HttpResponse } from "../server/http-response.ts";

/** An error of Cloud Storage's JSON API: https://cloud.google.com/storage/docs/json_api/v1/status-codes */
export class StorageError extends HttpError {
  override readonly name = "StorageError";
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.reason = reason;
  }

  toResponse(): HttpResponse {
    const errors = [{ message: this.message, domain: "global", reason: this.reason }];
    return jsonResponse({ error: { code: this.code, message: this.message, errors } }, this.code);
  }
}

/** An error of Cloud Storage's XML API: https://cloud.google.com/storage/docs/xml-api/reference-status */
export class XmlStorageError extends HttpError {
  override readonly name = "XmlStorageError";
  readonly httpStatus: number;
  readonly code: string;

  constructor(httpStatus: number, code: string, message: string) {
    super(message);
    this.httpStatus = httpStatus;
    this.code = code;
  }

  toResponse(): HttpResponse {
    const text = `<?xml version='1.0' encoding='UTF-8'?><Error><Code>${this.code}</Code><Message>${this.message}</Message></Error>`;
    return new HttpResponse(this.httpStatus, { "content-type": "application/xml; charset=UTF-8" }, text);
  }
}

/** Converts a failed write to an error for the client: a full disk gets its own message, other errors pass through. */
export function toStorageError(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new StorageError(503, "backendError", "The disk with the emulator's data is full. Nothing was stored.", { cause: error });
}
