import { createHash } from "node:crypto";
import { formatDuration } from "../../terminal/duration.ts";
import type { Page } from "./request-context.ts";
import { formatMilliseconds, type RequestLog } from "./request-log.ts";
import type { TokenSource } from "./token-source.ts";

interface StatusOptions {
  readonly service: URL;
  readonly audience: string;
  /** The caller, if known. */
  readonly principal: () => string | undefined;
  /** A one-line description of the credential. */
  readonly credentials: string;
  readonly tokens: Pick<TokenSource, "expires">;
  readonly requestLog: Pick<RequestLog, "active" | "total" | "latest">;
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1.5rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1rem; margin-top: 2rem; }
dl { display: grid; gap: .3rem 1.5rem; grid-template-columns: max-content 1fr; }
dt { opacity: .65; } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #8884; padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; }
th { font-weight: 600; } td:nth-child(3) { overflow-wrap: anywhere; width: 60%; } td:last-child, th:last-child { text-align: right; white-space: nowrap; }
.bad { color: #c5221f; } @media (prefers-color-scheme: dark) { .bad { color: #f28b82; } }
`;
/** https://www.w3.org/TR/CSP3/: nothing is loaded, runs, is sent, or frames the page. */
const CONTENT_SECURITY_POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** The page that shows the caller, the service, the token's remaining lifetime, and the last requests: in HTML, or in JSON if the client prefers that. */
export function createStatusPage(options: StatusOptions): (accept: string | undefined, proxyUrl: string) => Page {
  return (accept = "", proxyUrl) => {
    const facts = readFacts(options, proxyUrl);
    const json = accept.indexOf("application/json");
    const html = accept.indexOf("text/html");
    return json >= 0 && (html < 0 || json < html)
      ? { status: 200, headers: { ...SECURITY_HEADERS, "content-type": "application/json" }, body: `${JSON.stringify(facts, null, 2)}\n` }
      : { status: 200, headers: { ...SECURITY_HEADERS, "content-type": "text/html; charset=utf-8" }, body: renderHtml(facts) };
  };
}

type Facts = ReturnType<typeof readFacts>;

function readFacts({ service, audience, principal, credentials, tokens, requestLog }: StatusOptions, proxyUrl: string) {
  const expires = tokens.expires();
  return {
    proxy: proxyUrl,
    service: service.origin,
    audience,
    principal: principal() ?? null,
    credentials,
    token: {
      expires_at: expires > 0 ? new Date(expires).toISOString() : null,
      seconds_left: Math.max(0, Math.round((expires - Date.now()) / 1000)),
    },
    requests: { total: requestLog.total(), active: requestLog.active() },
    last_requests: requestLog.latest().map(({ method, path, status, time, durationMs }) => ({
      time: new Date(time).toISOString(),
      method,
      path,
      status: status || null,
      duration_ms: Math.round(durationMs * 10) / 10,
    })),
  };
}

function renderHtml({ proxy, service, audience, principal, credentials, token, requests, last_requests: last }: Facts): string {
  const facts = [
    ["Proxy", proxy],
    ["Service", service],
    ["Audience", audience],
    ["Caller", principal ?? "unknown"],
    ["Credentials", credentials],
    ["Token", `expires in ${formatDuration(token.seconds_left * 1000)}; refreshed automatically`],
    ["Requests", `${requests.total} (${requests.active} in progress)`],
  ].map(([name, value]) => `<dt>${name}</dt><dd>${escape(value ?? "")}</dd>`);
  const rows = last.map(
    ({ time, method, path, status, duration_ms: duration }) =>
      `<tr><td>${time.slice(11, 19)}</td><td>${escape(method)}</td><td>${escape(path)}</td>` +
      `<td${status === null || status >= 400 ? ' class="bad"' : ""}>${status ?? "canceled"}</td><td>${formatMilliseconds(duration)}</td></tr>`,
  );
  const table = `<table><thead><tr><th>Time (UTC)</th><th>Method</th><th>Path</th><th>Status</th><th>Duration</th></tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="10">
<title>cloudrun-oauth proxy</title><style>${STYLE}</style></head>
<body><h1>cloudrun-oauth proxy</h1>
<dl>${facts.join("\n")}</dl>
<h2>Last requests</h2>
${rows.length > 0 ? table : "<p>None yet.</p>"}
</body></html>
`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
