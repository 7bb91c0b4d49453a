import { access } from "node:fs/promises";
import { formatDuration, SET_CLOCK_HINT } from "../../auth/token-refusal.ts";
import { createRouter } from "../../http/route.ts";
import { formatCount, fail, ok, skip, warn, type Check } from "./check.ts";
import { requireFact } from "./require-fact.ts";

const GOOGLE = new URL("https://www.googleapis.com");

/** Google tolerates some skew. */
const SLIGHT_SKEW_SECONDS = 5;
const MAX_SKEW_SECONDS = 60;

/** Programs read additional certificate authorities from the files that these name. */
const AUTHORITY_VARIABLES = [
  "NODE_EXTRA_CA_CERTS",
  "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "SSL_CERT_FILE",
];

export const networkChecks: readonly Check[] = [
  {
    name: "network",
    remedy: "Look at this machine's network, and at its proxy: cloudrun-oauth doctor proxy --verbose",
    async run({ context, googleProbe }) {
      const { host, durationMs } = await googleProbe();
      const { note } = createRouter(context.env)(GOOGLE);
      return ok(`${host} answers within ${durationMs} ms${note}.`, { details: { host, duration_ms: durationMs } });
    },
  },
  {
    name: "proxy",
    async run({ context: { env } }) {
      // Throws if a variable doesn't name a proxy.
      const { proxy, isEmulator } = createRouter(env)(GOOGLE);
      const set = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"].flatMap((name) => {
        const names = [name, name.toLowerCase()].filter((spelling) => env[spelling]);
        return names.length > 0 ? [[name, names.map((spelling) => env[spelling] ?? "")] as const] : [];
      });
      const values = new Map(set);
      const details = { variables: set.map(([name]) => name), proxy: proxy ?? null };
      if (isEmulator) return ok("Requests to Google go to the emulator.", { details });
      const differing = set.find(([, spellings]) => new Set(spellings).size > 1)?.[0];
      if (differing)
        return warn(`${differing} and ${differing.toLowerCase()} differ: some programs read the one, and some the other.`, {
          remedy: `export ${differing.toLowerCase()}="$${differing}"`,
          details,
        });
      if (!values.has("HTTPS_PROXY") && (values.has("HTTP_PROXY") || values.has("ALL_PROXY"))) {
        const name = values.has("HTTP_PROXY") ? "HTTP_PROXY" : "ALL_PROXY";
        return warn(`${name} is set and HTTPS_PROXY is not: requests to Google go past the proxy.`, {
          remedy: `export HTTPS_PROXY="$${name}"`,
          details,
        });
      }
      if (!values.has("HTTPS_PROXY")) return ok("No proxy is set.", { details });
      const exceptions = values.get("NO_PROXY")?.[0] ?? "";
      if (!/(^|[\s,])(\*|localhost|127\.0\.0\.1)([\s,]|$)/.test(exceptions))
        return warn(
          `The proxy ${proxy ?? ""} would be asked for this machine itself by curl and gcloud: NO_PROXY does not name localhost.`,
          {
            remedy: 'export NO_PROXY="localhost,127.0.0.1,::1${NO_PROXY:+,$NO_PROXY}"',
            details,
          },
        );
      return ok(proxy ? `Requests to Google go by the proxy ${proxy}.` : "NO_PROXY keeps requests to Google off the proxy.", { details });
    },
  },
  {
    name: "tls",
    async run({ context: { env } }) {
      if (env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0")
        return warn("NODE_TLS_REJECT_UNAUTHORIZED=0 lets anybody on the way read and change what is sent.", {
          remedy: "unset NODE_TLS_REJECT_UNAUTHORIZED",
        });
      const named = AUTHORITY_VARIABLES.filter((name) => env[name]);
      for (const name of named) {
        const file = env[name] ?? "";
        const isReadable = await access(file).then(
          () => true,
          () => false,
        );
        if (!isReadable)
          return warn(`${name} names a file of certificates that cannot be read: ${file}.`, {
            remedy: `unset ${name}`,
            details: { variable: name, file },
          });
      }
      return ok(
        named.length > 0
          ? `Certificates are checked; ${formatCount(named.length, "variable")} of the environment add authorities.`
          : "Certificates are checked.",
        {
          details: { variables: named },
        },
      );
    },
  },
  {
    name: "clock",
    async run({ googleProbe }) {
      const { clockSkewSeconds: skew, host } = await requireFact("network", googleProbe());
      if (skew === undefined) return skip(`${host} does not say the time.`);
      const details = { skew_seconds: skew };
      if (Math.abs(skew) <= SLIGHT_SKEW_SECONDS) return ok("This machine's clock is as Google's.", { details });
      const message = `This machine's clock is ${formatDuration(Math.abs(skew))} ${skew > 0 ? "ahead of" : "behind"} Google's.`;
      const remedy = SET_CLOCK_HINT.replace(/^.*: /, "");
      return Math.abs(skew) <= MAX_SKEW_SECONDS ? warn(message, { remedy, details }) : fail("CLOCK_SKEW", message, { remedy, details });
    },
  },
];
