import { access } from "node:fs/promises";
import { formatDuration } from "../../auth/token-refusal.ts";
import { externalStep } from "../../errors/next-step.ts";
import { createRouter } from "../../http/route.ts";
import { fail, ok, skip, warn, type Check } from "./check.ts";
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
    async run({ context, googleProbe }) {
      const { host, durationMs } = await googleProbe();
      const { note } = createRouter(context.env)(GOOGLE);
      return ok(`${host} responded in ${durationMs} ms${note}.`, { details: { host, duration_ms: durationMs } });
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
        return warn(`${differing} and ${differing.toLowerCase()} differ, and programs disagree on which one to use.`, {
          hint: "Set both to the same value.",
          details,
        });
      if (!values.has("HTTPS_PROXY") && (values.has("HTTP_PROXY") || values.has("ALL_PROXY"))) {
        const name = values.has("HTTP_PROXY") ? "HTTP_PROXY" : "ALL_PROXY";
        return warn(`${name} is set but HTTPS_PROXY isn't, so requests to Google bypass the proxy.`, {
          hint: `To use the proxy, set HTTPS_PROXY to the value of ${name}.`,
          details,
        });
      }
      if (!values.has("HTTPS_PROXY")) return ok("No proxy is set.", { details });
      const exceptions = values.get("NO_PROXY")?.[0] ?? "";
      if (!/(^|[\s,])(\*|localhost|127\.0\.0\.1)([\s,]|$)/.test(exceptions))
        return warn(`NO_PROXY doesn't include localhost, so curl and gcloud send local requests to the proxy ${proxy ?? ""}.`, {
          hint: "Add localhost,127.0.0.1,::1 to NO_PROXY.",
          details,
        });
      return ok(proxy ? `Requests to Google use the proxy ${proxy}.` : "NO_PROXY excludes Google from the proxy.", { details });
    },
  },
  {
    name: "tls",
    async run({ context: { env } }) {
      if (env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0")
        return warn("NODE_TLS_REJECT_UNAUTHORIZED=0 disables certificate checks, so others can read and change requests.", {
          hint: "Unset NODE_TLS_REJECT_UNAUTHORIZED.",
        });
      const named = AUTHORITY_VARIABLES.filter((name) => env[name]);
      for (const name of named) {
        const file = env[name] ?? "";
        const isReadable = await access(file).then(
          () => true,
          () => false,
        );
        if (!isReadable)
          return warn(`Can't read the certificates in ${file} (${name}).`, {
            hint: `Unset ${name}, or set it to a file that exists.`,
            details: { variable: name, file },
          });
      }
      const more = named.length > 0 ? ` More certificate authorities come from ${named.join(", ")}.` : "";
      return ok(`Certificates are verified.${more}`, { details: { variables: named } });
    },
  },
  {
    name: "clock",
    async run({ googleProbe }) {
      const { clockSkewSeconds: skew, host } = await requireFact("network", googleProbe());
      if (skew === undefined) return skip(`${host} doesn't report the time.`);
      const details = { skew_seconds: skew };
      if (Math.abs(skew) <= SLIGHT_SKEW_SECONDS) return ok("The clock is in sync with Google.", { details });
      const message = `The clock is ${formatDuration(Math.abs(skew))} ${skew > 0 ? "ahead of" : "behind"} Google's.`;
      const more = { next: [externalStep("To set the clock on Linux", "sudo", "timedatectl", "set-ntp", "true")], details };
      return Math.abs(skew) <= MAX_SKEW_SECONDS ? warn(message, more) : fail("CLOCK_SKEW", message, more);
    },
  },
];
