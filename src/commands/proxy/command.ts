import { argument } from "../../context/argument.ts";
import { defineCommand } from "../../context/define-command.ts";
import { flag, settingFlag } from "../../context/flag.ts";
import { parsePort } from "../../context/parse-number.ts";

export const proxyCommand = defineCommand({
  name: "proxy",
  group: "Authenticated calls:",
  summary: "a local address that calls a service with an ID token",
  description:
    "Listen on this machine, and pass every request on to a service with an ID token, which is renewed in time: HTTP/1.1, HTTP/2\nand gRPC without TLS, WebSockets, server-sent events. An Authorization of the application's own reaches the service.\nThe URL is printed on stdout, a line for each request on stderr; /.cloudrun-oauth says what is going on. Ctrl-C ends it.",
  arguments: [argument("[service]", "the service (default: what --url says, or the settings)")],
  flags: [
    flag("--port <number>", "the port (default: 8080; 0 takes a free one)", { parse: parsePort }),
    flag("--host <address>", "the address to listen on", { default: "127.0.0.1" }),
    flag("--allow-remote", "let --host be an address that other machines reach: they call with your credential"),
    flag("--allow-origin <origin>", "let pages of this web origin call, besides those of this machine; may be repeated", {
      isRepeatable: true,
    }),
    settingFlag("--url <url>", "the service's URL (default: what describe finds)"),
    flag("--tag <tag>", "call the revision that has this traffic tag"),
    settingFlag("--credentials <file>", "a service account's key file, or another credential file"),
    settingFlag("--impersonate-service-account <accounts>", "act as this service account; delegates go before it, with commas"),
    flag("--audience <audience>", "whom the token is for (default: the service's URL)"),
    flag("--iap [client-id]", "call through Identity-Aware Proxy: the token is for its OAuth client (default: it is asked)"),
    flag("--no-cache", "take a new token, and keep it nowhere but in memory"),
  ],
  examples: [
    ["cloudrun-oauth proxy hello", "then: curl localhost:8080"],
    ["cloudrun-oauth proxy --url https://hello-abc123-uc.a.run.app --port 0 --json"],
    ["cloudrun-oauth proxy hello --tag next --impersonate-service-account caller@my-project.iam.gserviceaccount.com"],
  ],
  load: async () => (await import("./proxy.ts")).proxy,
});
