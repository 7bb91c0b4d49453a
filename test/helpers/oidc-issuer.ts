import { createServer } from "node:http";
import { signJwt } from "../../src/emulator/oauth2/jwt.ts";
import { createKeyPair, type KeyPair } from "../../src/emulator/oauth2/key-pair.ts";
import { listen } from "./listen.ts";

// One pair does for all issuers of a file: it takes long to make.
const pair = await createKeyPair();
const jwks = { keys: [{ ...pair.publicKey.export({ format: "jwk" }), kid: pair.keyId, alg: "RS256", use: "sig" }] };

/** An OpenID Connect provider on this machine, as a pipeline has one. */
export interface OidcIssuer {
  readonly uri: string;
  readonly jwks: { readonly keys: readonly object[] };
  /** How often it was asked for its keys. */
  readonly asked: () => number;
  /** A token of five minutes; `changes` replace claims, undefined leaves them out. */
  token(claims: Readonly<Record<string, unknown>>, options?: { readonly pair?: KeyPair; readonly now?: number }): string;
}

export async function startOidcIssuer(atEnd?: Parameters<typeof listen>[1]): Promise<OidcIssuer> {
  let asked = 0;
  const server = createServer((request, response) => {
    const documents: Record<string, object> = {
      "/.well-known/openid-configuration": { issuer: uri, jwks_uri: `${uri}/keys` },
      "/keys": jwks,
    };
    if (request.url === "/keys") asked += 1;
    const document = documents[request.url ?? ""];
    response.writeHead(document ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(document ?? {}));
  });
  const uri = `http://127.0.0.1:${await listen(server, atEnd)}`;
  return {
    uri,
    jwks,
    asked: () => asked,
    token(claims, { pair: other = pair, now = Date.now() } = {}) {
      const iat = Math.floor(now / 1000);
      return signJwt(JSON.stringify({ iss: uri, iat, exp: iat + 300, ...claims }), other);
    },
  };
}
