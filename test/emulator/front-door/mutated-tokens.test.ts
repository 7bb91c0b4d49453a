import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { setPolicy } from "../../../src/emulator/iam/policy.ts";
import { signJwt } from "../../../src/emulator/oauth2/jwt.ts";
import { CALLER_PAIR, decode, forge, ISSUER_PAIR, NOW, OTHER_PAIR } from "../../helpers/identity.ts";
import { idTokenOf, openService, SERVICE } from "../../helpers/service-call.ts";

type Json = Record<string, unknown>;

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const PUBLIC_PEM = ISSUER_PAIR.publicKey.export({ type: "spki", format: "pem" });
const SEGMENTS = [0, 1, 2] as const;

/** Changes one claim or header field of a good one into something else. */
const change = (names: readonly string[]) =>
  fc.tuple(fc.constantFrom(...names), fc.oneof(fc.constant(undefined), fc.jsonValue({ maxDepth: 2 }), fc.integer(), fc.string()));

/** Claims that the issuer would never sign for this account and service, signed by it. */
const wrongClaims = fc.oneof(
  fc.oneof(fc.webUrl(), fc.string(), fc.constant(undefined), fc.array(fc.string())).map((aud) => ({ aud })),
  fc.oneof(fc.webUrl(), fc.constantFrom("accounts.google.com", "https://accounts.google.com/", undefined)).map((iss) => ({ iss })),
  fc.integer({ min: -NOW, max: NOW }).map((exp) => ({ exp })),
  fc.constantFrom(undefined, null, String(NOW + 3600), [NOW + 3600]).map((exp) => ({ exp })),
  fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String), fc.constant(undefined)).map((sub) => ({ sub })),
  fc.oneof(fc.emailAddress(), fc.integer(), fc.constant(null)).map((email) => ({ email })),
  fc.constantFrom(false, undefined, "true", 1).map((email_verified) => ({ email_verified })),
);

/** Tokens that came of a good one and are none; each kind makes its own. */
function mutations(good: string, issue: (changes: object) => string): fc.Arbitrary<string> {
  const segments = good.split(".") as [string, string, string];
  const { header, claims } = decode(good);
  const signature = Buffer.from(segments[2], "base64url");
  const join = (at: number, text: string): string => segments.map((segment, index) => (index === at ? text : segment)).join(".");
  const place = fc.nat({ max: good.length - 1 });
  const letters = fc.string({ unit: fc.constantFrom(...BASE64URL, ".", "=", "+", "/", "~", "%", ","), minLength: 1, maxLength: 4 });
  return fc.oneof(
    fc.tuple(place, fc.constantFrom(...BASE64URL)).map(([at, letter]) => good.slice(0, at) + letter + good.slice(at + 1)),
    fc.tuple(place, letters).map(([at, more]) => good.slice(0, at) + more + good.slice(at)),
    fc.tuple(place, fc.integer({ min: 1, max: 40 })).map(([at, count]) => good.slice(0, at) + good.slice(at + count)),
    fc.shuffledSubarray([...segments, ...segments]).map((some) => some.join(".")),
    fc.tuple(fc.constantFrom(...SEGMENTS), fc.string()).map(([at, text]) => join(at, Buffer.from(text).toString("base64url"))),
    fc.tuple(fc.nat({ max: signature.length * 8 - 1 })).map(([bit]) => {
      const flipped = Buffer.from(signature);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      return join(2, flipped.toString("base64url"));
    }),
    change(["aud", "exp", "sub", "email", "email_verified", "iss", "azp", "admin"]).map(([name, value]) =>
      forge(header, { ...claims, [name]: value }, () => signature),
    ),
    change(["alg", "kid", "typ", "crit", "jwk", "x5c"]).map(([name, value]) =>
      forge({ ...header, [name]: value }, claims, () => signature),
    ),
    fc.constantFrom("none", "None", "NONE", "").map((alg) => forge({ ...header, alg }, claims)),
    fc.constantFrom(["HS256", "sha256"], ["HS384", "sha384"], ["HS512", "sha512"]).map(([alg, hash]) =>
      forge({ ...header, alg }, claims, (signed) =>
        createHmac(hash as string, PUBLIC_PEM)
          .update(signed)
          .digest(),
      ),
    ),
    fc
      .tuple(fc.constantFrom(CALLER_PAIR, OTHER_PAIR), fc.boolean())
      .map(([pair, lies]) => signJwt(JSON.stringify(claims), { ...pair, keyId: lies ? ISSUER_PAIR.keyId : pair.keyId })),
    wrongClaims.map(issue),
  );
}

/** Whether a token has the same header and claims as another, in any encoding. */
function hasSameContent(token: string, { header, claims }: { header: Json; claims: Json }): boolean {
  try {
    const read = decode(token);
    return JSON.stringify([read.header, read.claims]) === JSON.stringify([header, claims]);
  } catch {
    return false;
  }
}

test("none of 10,000 mutated tokens is accepted", { timeout: 60_000 }, async () => {
  const hello = await openService();
  const { caller, state, url } = hello;
  setPolicy(state, SERVICE, { bindings: [{ role: "roles/run.invoker", members: [`serviceAccount:${caller.email}`] }] });
  const good = idTokenOf(caller, url);
  const read = decode(good);
  expect(await hello.call({ token: good })).toBe("admitted");

  const issue = (changes: object): string => idTokenOf(caller, url, changes);
  const mutated = mutations(good, issue).filter((token) => token !== good);
  let sameContent = 0;
  const property = fc.asyncProperty(mutated, async (token) => {
    if (hasSameContent(token, read)) sameContent += 1;
    expect([401, 403]).toContain(await hello.call({ token }));
  });
  await fc.assert(property, { numRuns: 10_000 });
  // In some of them, only the signature was wrong.
  expect(sameContent).toBeGreaterThan(500);
  expect(await hello.call({ token: good })).toBe("admitted");
});
