import { JWT, OAuth2Client } from "google-auth-library";
import { createRemoteJWKSet, customFetch, importX509, jwtVerify, type JSONWebKeySet } from "jose";
import { expect, test } from "vitest";
import type { ApiServer } from "../../helpers/api-server.ts";
import { CALLER_PAIR, ISSUER_PAIR, openIdentity, serveIdentity } from "../../helpers/identity.ts";

const AUDIENCE = "https://hello-abc123-uc.a.run.app";

/** fetch, with every host answered by the emulator. */
function fetchFrom(server: ApiServer): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const { host, pathname, search } = new URL(request.url);
    const options = { token: "", body: await request.text(), headers: Object.fromEntries(request.headers) };
    const { status, headers, text } = await server.request(request.method, host, `${pathname}${search}`, options);
    return new Response(text, { status, headers: headers as Record<string, string> });
  };
}

test("google-auth-library gets an ID token with a key file, and verifies it with the published certificates", async () => {
  const identity = await openIdentity({ live: true });
  const transporterOptions = { fetchImplementation: fetchFrom(await serveIdentity(identity)) };
  const { email, uniqueId } = identity.caller;
  const key = CALLER_PAIR.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const client = new JWT({ email, key, transporterOptions } as ConstructorParameters<typeof JWT>[0]);
  const idToken = await client.fetchIdToken(AUDIENCE);

  const verifier = new OAuth2Client({ transporterOptions } as ConstructorParameters<typeof OAuth2Client>[0]);
  const ticket = await verifier.verifyIdToken({ idToken, audience: AUDIENCE });
  expect(ticket.getPayload()).toMatchObject({ aud: AUDIENCE, azp: email, email, email_verified: true, sub: uniqueId });
  await expect(verifier.verifyIdToken({ idToken, audience: "https://other.run.app" })).rejects.toThrow("Wrong recipient");
});

test("jose verifies an ID token with the JWKS that the OpenID configuration names", async () => {
  const identity = await openIdentity({ live: true });
  const server = await serveIdentity(identity);
  const { json } = await server.request("GET", "accounts.google.com", "/.well-known/openid-configuration", { token: "" });
  const keys = createRemoteJWKSet(new URL(json["jwks_uri"]), { [customFetch]: fetchFrom(server) });
  const token = await identity.signingKeys.signIdToken({ iss: json["issuer"], aud: AUDIENCE, exp: Date.now() / 1000 + 60 });
  const { protectedHeader } = await jwtVerify(token, keys, { issuer: "https://accounts.google.com", audience: AUDIENCE });
  expect(protectedHeader).toEqual({ alg: "RS256", kid: ISSUER_PAIR.keyId, typ: "JWT" });
});

test("an account's keys are published as certificates and as a JWKS, without disabled ones", async () => {
  const identity = await openIdentity({ live: true });
  const server = await serveIdentity(identity);
  const { email, uniqueId } = identity.caller;
  const managed = await identity.signingKeys.accountKey(uniqueId);
  const get = async (path: string) =>
    (await server.request("GET", "www.googleapis.com", `${path}/${encodeURIComponent(email)}`, { token: "" })).json;

  const certificates = await get("/robot/v1/metadata/x509");
  expect(Object.keys(certificates).toSorted()).toEqual([CALLER_PAIR.keyId, managed.keyId].toSorted());
  for (const pair of [CALLER_PAIR, managed]) {
    const key = await importX509(certificates[pair.keyId], "RS256");
    expect((key as unknown as { type: string }).type).toBe("public");
  }
  const jwks = (await get("/service_accounts/v1/jwk")) as unknown as JSONWebKeySet;
  expect(jwks.keys.map(({ kid }) => kid).toSorted()).toEqual([CALLER_PAIR.keyId, managed.keyId].toSorted());
  expect(JSON.stringify(jwks)).not.toContain('"d"');

  const key = identity.state.keys.get(`${email}/${CALLER_PAIR.keyId}`);
  identity.state.keys.set(`${email}/${CALLER_PAIR.keyId}`, { ...key!, disabled: true });
  expect(Object.keys(await get("/service_accounts/v1/metadata/x509"))).toEqual([managed.keyId]);
});

test("tokeninfo describes an ID token in strings, and refuses one from another issuer", async () => {
  const identity = await openIdentity();
  const server = await serveIdentity(identity);
  const exp = Math.floor(identity.now() / 1000) + 60;
  const token = await identity.signingKeys.signIdToken({ iss: "https://accounts.google.com", aud: AUDIENCE, email_verified: true, exp });
  const info = await server.request("GET", "oauth2.googleapis.com", `/tokeninfo?id_token=${token}`, { token: "" });
  expect(info.json).toEqual({
    iss: "https://accounts.google.com",
    aud: AUDIENCE,
    email_verified: "true",
    exp: String(exp),
    alg: "RS256",
    kid: ISSUER_PAIR.keyId,
    typ: "JWT",
  });
  const bad = await server.request("POST", "oauth2.googleapis.com", "/tokeninfo", { token: "", body: `id_token=${token}x` });
  expect([bad.status, bad.json]).toEqual([400, { error: "invalid_token", error_description: "Invalid Value" }]);
});
