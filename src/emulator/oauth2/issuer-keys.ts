import type { JSONWebKeySet } from "jose";
import { OAuthError } from "../server/errors.ts";
import { isEmulated } from "../server/hosts.ts";
import type { Runtime } from "../runtime.ts";
import { ISSUER } from "./id-tokens.ts";
import { issuerKeys } from "./public-keys.ts";

const FETCH_TIMEOUT_MS = 10_000;
const MAX_RESPONSE_BYTES = 1024 * 1024;

// Unlike Cloud Run: an issuer's keys are fetched for every exchange, and never through a proxy; with a provider's jwksJson, they aren't fetched.
/**
 * The public keys of an OpenID Connect issuer, from its discovery document:
 * https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig Throws OAuthError if they can't be fetched.
 */
export async function fetchIssuerKeys(issuer: string, runtime: Pick<Runtime, "signingKeys" | "now">): Promise<JSONWebKeySet> {
  if (issuer === ISSUER) return issuerKeys(runtime).jwks() as Promise<JSONWebKeySet>;
  const configuration = await fetchObject(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  const { issuer: named, jwks_uri: address } = configuration;
  if (named !== issuer || typeof address !== "string") throw unreachable(`its discovery document names the issuer ${String(named)}`);
  const keys = await fetchObject(address);
  if (!Array.isArray(keys["keys"])) throw unreachable(`${address} has no keys`);
  return keys as unknown as JSONWebKeySet;
}

async function fetchObject(address: string): Promise<Record<string, unknown>> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol) || isEmulated(url.hostname))
    throw unreachable(`${address} isn't a valid address`);
  try {
    const answer = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
    if (!answer.ok || !answer.body) throw new Error(`it returned ${answer.status}`);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of answer.body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_RESPONSE_BYTES) throw new Error("its response is too large");
    }
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
    throw new Error("its response isn't a JSON object");
  } catch (error) {
    throw unreachable(`${address}: ${(error as Error).message}`);
  }
}

function unreachable(reason: string): OAuthError {
  return new OAuthError("invalid_grant", `Error connecting to the given credential's issuer: ${reason}.`);
}
