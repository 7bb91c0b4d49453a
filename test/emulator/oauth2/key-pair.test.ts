import { checkPrimeSync, createPrivateKey, sign, verify } from "node:crypto";
import { expect, test } from "vitest";
import { createKeyPair } from "../../../src/emulator/oauth2/key-pair.ts";

test("a pair is an RSA key of 2048 bits whose numbers belong together", async () => {
  for (let count = 0; count < 20; count += 1) {
    const { privateKey, publicKey } = await createKeyPair();
    expect(privateKey.asymmetricKeyDetails).toEqual({ modulusLength: 2048, publicExponent: 65_537n });
    const numbers = Object.entries(privateKey.export({ format: "jwk" })).filter(([name]) => name !== "kty");
    const { n, e, d, p, q, dp, dq, qi } = Object.fromEntries(numbers.map(([name, value]) => [name, read(value)])) as Numbers;
    expect([p, q].map((prime) => checkPrimeSync(prime))).toEqual([true, true]);
    expect({ n, dp, dq }).toEqual({ n: p * q, dp: d % (p - 1n), dq: d % (q - 1n) });
    expect([(e * d) % (p - 1n), (e * d) % (q - 1n), (q * qi) % p]).toEqual([1n, 1n, 1n]);
    const data = Buffer.from("signed");
    const pem = privateKey.export({ type: "pkcs8", format: "pem" });
    expect(verify("sha256", data, publicKey, sign("sha256", data, createPrivateKey(pem)))).toBe(true);
  }
});

type Numbers = Record<"n" | "e" | "d" | "p" | "q" | "dp" | "dq" | "qi", bigint>;

function read(value: unknown): bigint {
  return BigInt(`0x${Buffer.from(String(value), "base64url").toString("hex")}`);
}
