import { createHash } from "node:crypto";
import type { Journal } from "./request-log.ts";
import type { TokenKeeper } from "./token-refresh.ts";

/** A whole answer. */
export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface StatusOptions {
  readonly service: URL;
  readonly audience: string;
  /** Who calls, where that is known. */
  readonly principal: () => string | undefined;
  /** What the credential is, in a line. */
  readonly credentials: string;
  readonly tokens: Pick<TokenKeeper, "expires">;
  readonly journal: Pick<Journal, "active" | "total" | "latest">;
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
/** https://www.w3.org/TR/CSP3/: nothing is loaded, nothing runs, nothing is sent, nobody frames it. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const GUARDS = {
  "cache-control": "no-store",
  "content-security-policy": POLICY,
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** The page that says who calls what, for how long the token is good yet, and what was called last: in HTML, or in JSON for who prefers it. */
export function createStatusPage(options: StatusOptions): (accept: string | undefined, own: string) => Page {
  return (accept = "", own) => {
    const facts = read(options, own);
    const json = accept.indexOf("application/json");
    const html = accept.indexOf("text/html");
    return json >= 0 && (html < 0 || json < html)
      ? { status: 200, headers: { ...GUARDS, "content-type": "application/json" }, body: `${JSON.stringify(facts, null, 2)}\n` }
      : { status: 200, headers: { ...GUARDS, "content-type": "text/html; charset=utf-8" }, body: write(facts) };
  };
}

type Facts = ReturnType<typeof read>;

function read({ service, audience, principal, credentials, tokens, journal }: StatusOptions, own: string) {
  const expires = tokens.expires();
  return {
    proxy: own,
    service: service.origin,
    audience,
    principal: principal() ?? null,
    credentials,
    token: {
      expires_at: expires > 0 ? new Date(expires).toISOString() : null,
      seconds_left: Math.max(0, Math.round((expires - Date.now()) / 1000)),
    },
    requests: { total: journal.total(), active: journal.active() },
    last_requests: journal.latest().map(({ method, path, status, time, milliseconds }) => ({
      time: new Date(time).toISOString(),
      method,
      path,
      status: status || null,
      duration_ms: Math.round(milliseconds * 10) / 10,
    })),
  };
}

function write({ proxy, service, audience, principal, credentials, token, requests, last_requests: last }: Facts): string {
  const facts = [
    ["Proxy", proxy],
    ["Service", service],
    ["Audience", audience],
    ["Caller", principal ?? "known by the token alone"],
    ["Credential", credentials],
    ["Token", `good for ${Math.floor(token.seconds_left / 60)} min ${token.seconds_left % 60} s; renewed before it ends`],
    ["Requests", `${requests.total}, ${requests.active} under way`],
  ].map(([name, value]) => `<dt>${name}</dt><dd>${escape(value ?? "")}</dd>`);
  const rows = last.map(
    ({ time, method, path, status, duration_ms: duration }) =>
      `<tr><td>${time.slice(11, 19)}</td><td>${escape(method)}</td><td>${escape(path)}</td>` +
      `<td${status === null || status >= 400 ? ' class="bad"' : ""}>${status ?? "went away"}</td><td>${duration} ms</td></tr>`,
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
