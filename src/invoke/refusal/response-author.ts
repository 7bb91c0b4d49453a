import type { RejectedRequest } from "./refusal-error.ts";

/** Who sent a response in place of the service: Cloud Run's front end, Identity-Aware Proxy, or Cloud Run because an instance failed. */
export type ResponseAuthor = "front end" | "iap" | "instance error";

type Response = Pick<RejectedRequest, "status" | "headers" | "body">;

/** The front end's pages, by status code. */
const PAGES: Readonly<Record<number, RegExp>> = {
  401: /<h1>Error: Unauthorized<\/h1>\s*<h2>Your client does not have permission to (?:the requested|get) URL <code>/,
  403: /<h1>Error: Forbidden<\/h1>\s*<h2>Your client does not have permission to (?:the requested|get) URL <code>|vpcServiceControlsUniqueIdentifier/,
  404: /<h1>Error: Page not found<\/h1>\s*<h2>The requested URL was not found on this server\.<\/h2>|<title>Error 404 \(Not Found\)!!1<\/title>/,
};

/** The texts that Cloud Run sends if an instance doesn't respond: https://cloud.google.com/run/docs/troubleshooting */
const INSTANCE_ERRORS: Readonly<Record<number, RegExp>> = {
  429: /The request was aborted because there was no available instance|Rate exceeded\./,
  500: /The request (?:was aborted because there was no available instance|failed because the instance could not start successfully)/,
  503: /The request failed because either the HTTP response was malformed or connection to the instance had an error/,
  504: /The request has been terminated because it has reached the maximum request timeout|^upstream request timeout\s*$/,
};

const UNVERIFIED = 'Bearer error="invalid_token" error_description="The access token could not be verified"';

/** Recognizes who sent a response, by its headers and its body; undefined if the service itself did. */
export function responseAuthor(response: Response): ResponseAuthor | undefined {
  if (isFromIap(response.headers) || (response.status === 401 && response.body.startsWith("Invalid IAP credentials"))) return "iap";
  if (isFromFrontEnd(response)) return "front end";
  return isInstanceError(response) ? "instance error" : undefined;
}

/** Whether Identity-Aware Proxy sent the response, which is a refusal whatever its status: IAP redirects requests without a session. */
export function isFromIap(headers: RejectedRequest["headers"]): boolean {
  return headers["x-goog-iap-generated-response"] === "true";
}

/** A response to HEAD has no body, so its header decides; a service's own 401 has another one. */
function isFromFrontEnd({ status, headers, body }: Response): boolean {
  if (body === "") return status === 401 && (headers["www-authenticate"] ?? "").startsWith(UNVERIFIED);
  return isPage(headers) && (PAGES[status]?.test(body) ?? false);
}

/** The front end sends these texts as HTML; a service can send the same text, but rarely with that type. */
function isInstanceError({ status, headers, body }: Response): boolean {
  const isOwn = isPage(headers) || status === 504;
  return isOwn && body.length < 2000 && (INSTANCE_ERRORS[status]?.test(body) ?? false);
}

function isPage(headers: Response["headers"]): boolean {
  return (headers["content-type"] ?? "").startsWith("text/html");
}
