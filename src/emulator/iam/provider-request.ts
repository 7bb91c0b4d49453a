import * as v from "valibot";
import { invalidArgument } from "../server/errors.ts";
import { checkAttributeCondition, checkAttributeMapping } from "./attributes.ts";
import { parse, COMMON_FIELDS } from "./pools.ts";

const Fields = v.object({
  ...COMMON_FIELDS,
  attributeMapping: v.optional(v.record(v.string(), v.string()), {}),
  attributeCondition: v.optional(v.pipe(v.string(), v.maxLength(4096))),
  oidc: v.object({
    issuerUri: v.string(),
    allowedAudiences: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(256))), v.maxLength(10))),
    jwksJson: v.optional(v.string()),
  }),
});

// Unlike Cloud Run: providers use OpenID Connect; AWS, SAML and X.509 aren't supported.
const OTHERS = ["aws", "saml", "x509"];

/** Parses a provider in a create or patch request. Throws ApiError INVALID_ARGUMENT for what Google or the emulator refuses. */
export function parseProvider(body: Readonly<Record<string, unknown>>): v.InferOutput<typeof Fields> {
  const other = OTHERS.find((kind) => body[kind]);
  if (other) throw invalidArgument(`The emulator supports only OIDC identity providers, not ${other}.`);
  const fields = parse(Fields, body);
  checkIssuer(fields.oidc.issuerUri);
  if (fields.oidc.jwksJson) checkKeys(fields.oidc.jwksJson);
  checkAttributeMapping(fields.attributeMapping);
  if (fields.attributeCondition) checkAttributeCondition(fields.attributeCondition);
  return fields;
}

function checkIssuer(issuer: string): void {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  // Unlike Cloud Run: an issuer on this machine can use plain HTTP.
  const isLoopback = url?.protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url?.protocol === "https:" || isLoopback) return;
  throw invalidArgument("oidc.issuer_uri must be an HTTPS endpoint, or an HTTP endpoint on localhost.");
}

function checkKeys(json: string): void {
  try {
    const { keys } = JSON.parse(json) as { keys?: unknown };
    if (Array.isArray(keys) && keys.every((key: { kty?: unknown } | null) => ["RSA", "EC"].includes(String(key?.kty)))) return;
  } catch {
    // Text that isn't JSON isn't a key set either.
  }
  throw invalidArgument("oidc.jwks_json must be a JSON Web Key Set of RSA and EC keys.");
}
