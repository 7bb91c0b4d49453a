import { HttpResponse } from "../server/http-response.ts";

export class Page extends HttpResponse {
  /** The explanation in the request log: https://cloud.google.com/run/docs/troubleshooting */
  readonly explanation: string | undefined;

  constructor(status: number, headers: Readonly<Record<string, string>>, body: string, explanation?: string) {
    super(status, headers, body);
    this.explanation = explanation;
  }
}

/** A call without a credential, or by a caller that can't invoke the service. `target` is the request's path and query. */
export function forbidden(target: string, explanation?: string): Page {
  const text = `Your client does not have permission to get URL <code>${showPath(target)}</code> from this server.`;
  return page(403, "Forbidden", text, { explanation });
}

/** A call with an invalid credential. `target` is the request's path and query. */
export function unauthorized(target: string, explanation?: string): Page {
  return page(401, "Unauthorized", `Your client does not have permission to the requested URL <code>${showPath(target)}</code>.`, {
    headers: { "www-authenticate": 'Bearer error="invalid_token" error_description="The access token could not be verified"' },
    explanation,
  });
}

/** A service that doesn't exist, or that the caller can't know of. */
export function notFound(): Page {
  return page(404, "Page not found", "The requested URL was not found on this server.");
}

/** IAP marks its own pages with this header. */
const IAP_HEADERS = { "x-goog-iap-generated-response": "true" };

/** Identity-Aware Proxy redirects callers without a credential to sign in. `client` is IAP's OAuth client. */
export function iapSignIn(url: string, client: string): Page {
  const location = new URL("https://accounts.google.com/o/oauth2/v2/auth");
  location.search = new URLSearchParams({
    client_id: client,
    response_type: "code",
    scope: "openid email",
    redirect_uri: `https://iap.googleapis.com/v1/oauth/clientIds/${client}:handleRedirect`,
    state: Buffer.from(url).toString("base64url"),
  }).toString();
  return new Page(302, { ...IAP_HEADERS, location: location.href, "content-type": "text/html; charset=UTF-8" }, "");
}

/** A credential that Identity-Aware Proxy rejects. */
export function iapInvalid(reason: string): Page {
  return new Page(401, { ...IAP_HEADERS, "content-type": "text/html; charset=UTF-8" }, `Invalid IAP credentials: ${reason}`);
}

/** A known caller without access through Identity-Aware Proxy. */
export function iapForbidden(): Page {
  const { status, headers, body } = page(403, "Forbidden", "You don't have access");
  return new Page(status, { ...headers, ...IAP_HEADERS }, String(body));
}

export function reserved(target: string): Page {
  const text = `The requested URL <code>${showPath(target)}</code> was not found on this server.  <ins>That’s all we know.</ins>`;
  const body = `<!DOCTYPE html>\n<html lang=en>\n  <title>Error 404 (Not Found)!!1</title>\n  <p><b>404.</b> <ins>That’s an error.</ins>\n  <p>${text}\n`;
  return new Page(404, { "content-type": "text/html; charset=UTF-8" }, body);
}

const UNAVAILABLE = {
  429: ["Too Many Requests", "The request was aborted because there was no available instance."],
  500: ["Internal Server Error", "The request failed because the instance could not start successfully."],
  503: [
    "Service Unavailable",
    "The request failed because either the HTTP response was malformed or connection to the instance had an error.",
  ],
  504: ["Gateway Timeout", "The request has been terminated because it has reached the maximum request timeout."],
} as const;

/** No instance responded: none was free (429), started (500), sent valid HTTP (503), or was in time (504). */
export function unavailable(status: keyof typeof UNAVAILABLE, text: string = UNAVAILABLE[status][1]): Page {
  // Unlike Cloud Run: the page shows what Cloud Run only logs.
  return page(status, UNAVAILABLE[status][0], escapeHtml(text), { explanation: text });
}

/** A body that is too large for Cloud Run in HTTP/1.1. */
export function requestTooLarge(): Page {
  return page(413, "Request Entity Too Large", "Your client issued a request that was too large.\n");
}

/** A response that is too large for Cloud Run unless it is streamed. */
export function responseTooLarge(): Page {
  return unavailable(500, "Response size was too large. Please consider reducing response size.");
}

// The unquoted attributes and the empty second <h2> are Google's.
function page(
  status: number,
  title: string,
  text: string,
  { headers, explanation }: { readonly headers?: Readonly<Record<string, string>>; readonly explanation?: string | undefined } = {},
): Page {
  const lines = [
    "<html><head>",
    '<meta http-equiv="content-type" content="text/html;charset=utf-8">',
    `<title>${status} ${title}</title>`,
    "</head>",
    "<body text=#000000 bgcolor=#ffffff>",
    `<h1>Error: ${title}</h1>`,
    `<h2>${text}</h2>`,
    "<h2></h2>",
    "</body></html>",
  ];
  return new Page(status, { "content-type": "text/html; charset=UTF-8", ...headers }, `${lines.join("\n")}\n`, explanation);
}

function showPath(target: string): string {
  return escapeHtml(target.split("?", 1)[0] ?? "");
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
