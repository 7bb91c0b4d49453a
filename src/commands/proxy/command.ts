import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag, settingFlag } from "../../context/flag.ts";
import { parsePort } from "../../context/parse-number.ts";

export const proxyCommand = defineCommand({
  name: "proxy",
  summary: "Run a local proxy that adds an ID token to each request",
  description:
    "Runs a local proxy that forwards requests to a service and adds an ID token, refreshed automatically. Supports HTTP/1.1, HTTP/2 and gRPC without TLS, WebSockets, and server-sent events. Your own Authorization header is passed through. Prints the proxy's URL on stdout and a line for each request on stderr. The status page is at /.cloudrun-oauth. Press Ctrl-C to stop.",
  arguments: [argument("[service]", "Service name or URL (default: from --url or the settings)")],
  flags: [
    flag("--port <number>", "Port (default: 8080; 0 picks a free port)", { parse: parsePort }),
    flag("--host <address>", "Address to listen on", { default: "127.0.0.1" }),
    flag("--allow-remote", "Allow non-loopback --host. Anyone who can reach it calls the service as you."),
    flag("--allow-origin <origin>", "Allow requests from pages on this web origin. Repeatable.", {
      isRepeatable: true,
    }),
    settingFlag("--url <url>", "Service URL (default: looked up)"),
    flag("--tag <tag>", "Call the revision with this traffic tag"),
    settingFlag("--credentials <file>", "Service account key or other credential file"),
    settingFlag("--impersonate-service-account <accounts>", "Service account to impersonate, or a comma-separated delegation chain"),
    flag("--audience <audience>", "Token audience (default: service URL)"),
    flag("--iap [client-id]", "Authenticate to Identity-Aware Proxy (default client ID: detected)"),
    flag("--no-cache", "Don't read or write the token cache"),
  ],
  examples: [
    ["cloudrun-oauth proxy hello", "then: curl localhost:8080"],
    ["cloudrun-oauth proxy --url https://hello-abc123-uc.a.run.app --port 0 --json"],
    ["cloudrun-oauth proxy hello --tag next --impersonate-service-account caller@my-project.iam.gserviceaccount.com"],
  ],
  load: async () => (await import("./proxy.ts")).proxy,
});
