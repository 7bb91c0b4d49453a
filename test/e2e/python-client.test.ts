import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { HOME, newcomer, operateFor, startDetached, type User } from "../helpers/bin.ts";
import { HELLO, tinyService, type Operated } from "../helpers/emulator.ts";
import { testNeeding } from "../helpers/requirements.ts";
import { SAMPLE_REQUEST } from "../helpers/sample-request.ts";

const UNAUTHORIZED = page("401 Unauthorized", "Unauthorized", "Your client does not have permission to the requested URL <code>/</code>.");
const FORBIDDEN = page("403 Forbidden", "Forbidden", "Your client does not have permission to get URL <code>/</code> from this server.");

/** Google's page, byte for byte. */
function page(title: string, heading: string, text: string): string {
  return `<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>${title}</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: ${heading}</h1>
<h2>${text}</h2>
<h2></h2>
</body></html>
`;
}

const HELLO_JSON = '{"message":"Hello World from authenticated Cloud Run!"}';

// Google's own key is the emulator's: with it in hand even tokens can be made that are wrong in one point only.
const FORGERIES = `
import base64, hashlib, hmac, http.client, json, os, ssl, time, urllib.parse
import jwt, requests
from client import exchange, read_key, sign
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

url = os.environ["CLOUD_RUN_SERVICE_URL"]
key = read_key()
good = exchange(key, {"target_audience": url})["id_token"]
header, claims = jwt.get_unverified_header(good), jwt.decode(good, options={"verify_signature": False})
with open(os.environ["ISSUER_KEY"], "rb") as file:
    issuer = serialization.load_pem_private_key(file.read(), None)
other = rsa.generate_private_key(public_exponent=65537, key_size=2048)

def encode(part):
    return base64.urlsafe_b64encode(part if isinstance(part, bytes) else json.dumps(part).encode()).rstrip(b"=").decode()

def forge(changes={}, by=issuer, drop=(), **fields):
    kept = {name: value for name, value in {**claims, **changes}.items() if name not in drop}
    return jwt.encode(kept, by, algorithm="RS256", headers={**header, **fields})

def hs256(secret):
    signed = encode({**header, "alg": "HS256"}) + "." + encode(claims)
    return signed + "." + encode(hmac.new(secret, signed.encode(), hashlib.sha256).digest())

certificates = requests.get("https://www.googleapis.com/oauth2/v1/certs").json()
public = issuer.public_key()
pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
one, two, three = good.split(".")
now = int(time.time())

tokens = {
    "the same token, made anew": forge(),
    "signed with another key": forge(by=other),
    "signed with another key that it brings along": forge(by=other, jwk=json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(other.public_key()))),
    "signed with another key under its own name": forge(by=other, kid="other"),
    "under an unknown key id": forge(kid="0" * 40),
    "with no algorithm": encode({**header, "alg": "none"}) + "." + encode(claims) + ".",
    "with no algorithm, and the good signature": encode({**header, "alg": "none"}) + "." + encode(claims) + "." + three,
    "HS256 with the public key": hs256(pem),
    "HS256 with the public key in DER": hs256(der),
    "HS256 with the certificate": hs256(certificates[header["kid"]].encode()),
    "with no signature": one + "." + two + ".",
    "with half of its signature": good[:-100],
    "with other claims under the good signature": one + "." + encode({**claims, "email": "owner@example.com"}) + "." + three,
    "expired": forge({"iat": now - 7200, "exp": now - 3600}),
    "that never expires": forge(drop=["exp"]),
    "that expires in words": forge({"exp": "never"}),
    "for another audience": exchange(key, {"target_audience": "https://other-abc-uc.a.run.app"})["id_token"],
    "for a path of the service": exchange(key, {"target_audience": url + "/admin"})["id_token"],
    "for the service and another": forge({"aud": [url, "https://example.com"]}),
    "for no audience": forge(drop=["aud"]),
    "of another issuer": forge({"iss": "https://accounts.example.com"}),
    "of no issuer": forge(drop=["iss"]),
    "of nobody": forge(drop=["sub", "email"]),
    "of somebody unknown": forge({"sub": "1" * 21, "email": "nobody@example.com"}),
    "of another account than its address says": forge({"sub": "1" * 21}),
    "with an address that is not verified": forge({"email_verified": False}),
    "signed by its own account": jwt.encode({**claims, "iss": key["client_email"]}, key["private_key"], algorithm="RS256", headers={"kid": key["private_key_id"]}),
    "that is the assertion": sign(key, {"target_audience": url}),
    "that is an access token": exchange(key, {"scope": "https://www.googleapis.com/auth/cloud-platform"})["access_token"],
    "that is a word": "token",
    "that is empty": "",
    "twice in one header": good + ", Bearer " + good,
    "twice in one header, with a blank": good + " " + good,
}

proxy = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
tls = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
host = urllib.parse.urlsplit(url).hostname

def call(*headers):
    connection = http.client.HTTPSConnection(proxy.hostname, proxy.port, context=tls)
    connection.set_tunnel(host, 443)
    connection.putrequest("GET", "/")
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    got = [response.status, response.read().decode(), response.headers["content-type"], response.headers["www-authenticate"]]
    connection.close()
    return got

found = {"a token " + name: call(("Authorization", "Bearer " + token)) for name, token in tokens.items()}
bearer = "Bearer " + good
expired = "Bearer " + tokens["expired"]
found["no credential"] = call()
found["a good token"] = call(("Authorization", bearer))
found["a good token, in small letters"] = call(("authorization", "bearer " + good))
found["a good token in two headers"] = call(("Authorization", bearer), ("Authorization", bearer))
found["a good token without its scheme"] = call(("Authorization", good))
found["a good token as Basic"] = call(("Authorization", "Basic " + good))
found["X-Serverless-Authorization, and a bad Authorization"] = call(("X-Serverless-Authorization", bearer), ("Authorization", expired))
found["a bad X-Serverless-Authorization, and a good Authorization"] = call(("X-Serverless-Authorization", expired), ("Authorization", bearer))
print(json.dumps(found))
`;

const PASSES = [
  "a token the same token, made anew",
  "a good token",
  "a good token, in small letters",
  "X-Serverless-Authorization, and a bad Authorization",
];

/** Once a test runs it is too late to say what is to be done after all of them. */
const cleanUps: (() => unknown)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

let shared: Promise<{ user: User; operator: Operated; url: string; caller: string }> | undefined;

/** One private service for all tests of this file, which nobody may call yet. */
function service() {
  return (shared ??= (async () => {
    const user = newcomer((cleanUp) => void cleanUps.push(cleanUp));
    await startDetached(user);
    const operator = await operateFor(user);
    const { url } = await operator.deploy("hello", tinyService(HELLO));
    for (const [name, text] of Object.entries({ ...SAMPLE_REQUEST, "forgeries.py": FORGERIES })) writeFileSync(join(user.work, name), text);
    return { user, operator, url, caller: `serviceAccount:caller@${operator.project}.iam.gserviceaccount.com` };
  })());
}

async function python(program: string, script: string) {
  const { user, url } = await service();
  const issuer = join(user.work, "emulator", "data", "keys", "issuer.pem");
  const { exitCode, stdout, stderr } = await user.run(["emulator", "exec", ...HOME, "--", program, script], {
    env: { CLOUD_RUN_SERVICE_URL: url, ISSUER_KEY: issuer },
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout);
}

testNeeding(
  "python",
  "a client written as the original sample was is refused until it may call, and then answered",
  async ([program = ""]) => {
    const { operator, caller } = await service();
    expect(await python(program, "sample_request.py")).toEqual({ status_code: 403, response: FORBIDDEN, type: "text/html; charset=UTF-8" });
    await operator.grant("hello", caller);
    expect(await python(program, "sample_request.py")).toEqual({ status_code: 200, response: HELLO_JSON, type: "application/json" });
  },
);

testNeeding("python", "every forgery of a good token gets Google's 401 page, and no credential its 403 page", async ([program = ""]) => {
  const { operator, caller } = await service();
  await operator.grant("hello", caller);
  const { "no credential": none, ...found } = await python(program, "forgeries.py");
  expect(none).toEqual([403, FORBIDDEN, "text/html; charset=UTF-8", null]);
  const challenge = 'Bearer error="invalid_token" error_description="The access token could not be verified"';
  const refused = [401, UNAUTHORIZED, "text/html; charset=UTF-8", challenge];
  const passed = [200, HELLO_JSON, "application/json", null];
  expect(Object.keys(found).length).toBeGreaterThan(35);
  expect(found).toEqual(Object.fromEntries(Object.keys(found).map((name) => [name, PASSES.includes(name) ? passed : refused])));
});
