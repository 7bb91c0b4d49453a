import type { RejectedRequest } from "./refusal-error.ts";

/** Whose answer it is: Cloud Run's front end's, Identity-Aware Proxy's, or Cloud Run's for a service that gave none. */
export type ResponseAuthor = "front end" | "iap" | "stand-in";

type Answer = Pick<RejectedRequest, "status" | "headers" | "body">;

/** The pages of Cloud Run's front end, of which a service knows nothing: number, and what stands above and in the sentence. */
const PAGES: Readonly<Record<number, RegExp>> = {
  401: /<h1>Error: Unauthorized<\/h1>\s*<h2>Your client does not have permission to (?:the requested|get) URL <code>/,
  403: /<h1>Error: Forbidden<\/h1>\s*<h2>Your client does not have permission to (?:the requested|get) URL <code>|vpcServiceControlsUniqueIdentifier/,
  404: /<h1>Error: Page not found<\/h1>\s*<h2>The requested URL was not found on this server\.<\/h2>|<title>Error 404 \(Not Found\)!!1<\/title>/,
};

/** What it says for a service that gave no answer: https://cloud.google.com/run/docs/troubleshooting */
const STAND_INS: Readonly<Record<number, RegExp>> = {
  429: /The request was aborted because there was no available instance|Rate exceeded\./,
  500: /The request (?:was aborted because there was no available instance|failed because the instance could not start successfully)/,
  503: /The request failed because either the HTTP response was malformed or connection to the instance had an error/,
  504: /The request has been terminated because it has reached the maximum request timeout|^upstream request timeout\s*$/,
};

const UNVERIFIED = 'Bearer error="invalid_token" error_description="The access token could not be verified"';

/** Whose an answer is, by its headers and its body; undefined where it is the service's own. */
export function responseAuthor(answer: Answer): ResponseAuthor | undefined {
  if (isFromIap(answer.headers) || (answer.status === 401 && answer.body.startsWith("Invalid IAP credentials"))) return "iap";
  if (isFromFrontEnd(answer)) return "front end";
  return isStandIn(answer) ? "stand-in" : undefined;
}

/** Whether Identity-Aware Proxy answered, which redirects whoever has no session: such an answer is a refusal, whatever its status. */
export function isFromIap(headers: RejectedRequest["headers"]): boolean {
  return headers["x-goog-iap-generated-response"] === "true";
}

/** An answer without a body, to HEAD, is told by its header; a service that answers so itself says something else in it. */
function isFromFrontEnd({ status, headers, body }: Answer): boolean {
  if (body === "") return status === 401 && (headers["www-authenticate"] ?? "").startsWith(UNVERIFIED);
  return isPage(headers) && (PAGES[status]?.test(body) ?? false);
}

/** Text that a service could have written itself is believed only where the front end names itself as its author, as it does in every answer. */
function isStandIn({ status, headers, body }: Answer): boolean {
  const isOwn = isPage(headers) || status === 504;
  return isOwn && body.length < 2000 && (STAND_INS[status]?.test(body) ?? false);
}

function isPage(headers: Answer["headers"]): boolean {
  return (headers["content-type"] ?? "").startsWith("text/html");
}
